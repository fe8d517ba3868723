/** Ids as frames of a stream, and a stream's frames as logits. */
import type { Frame, Model } from "@recurra/core";
import { check, fail } from "@recurra/core/internal";

/** Steps over ids: a network that embeds them, or takes them one-hot. */
export interface IdFrames {
  frame(id: number): Float32Array;
  logits(output: Frame): Float32Array;
  /** How many ids there are. */
  readonly classes: number;
}

export function checkPrompt(prompt: unknown, who: string): void {
  const length: unknown = (prompt as Partial<ArrayLike<number>> | null | undefined)?.length;
  check(typeof length === "number" && length > 0, who, "a prompt of at least one id", length);
}

export function idFrames(model: Model, who: string): IdFrames {
  const { engine } = (model ?? {}) as Partial<Model>;
  check(engine !== undefined, who, "a model", model);
  const { graph } = engine;
  const [input, ...others] = graph.inputs.entries();
  const [output] = graph.outputs.entries();
  const only = others.length === 0 && input !== undefined && output !== undefined;
  check(only, who, "a network with one input", graph.inputs.size);
  const [[inputName, { width }], [outputName, { width: classes }]] = [input, output];
  const embeds = graph.ids.has(inputName);
  if (!embeds && width !== classes)
    fail(
      "SHAPE_MISMATCH",
      `${who}: expected an input of ids, or one as wide as the output's ${classes} logits, got one of width ${width}`,
    );
  return {
    classes,
    frame(id) {
      check(Number.isInteger(id) && id >= 0 && id < classes, who, `ids from 0 to ${classes - 1}`, id);
      if (embeds) return Float32Array.of(id);
      const frame = new Float32Array(width);
      frame[id] = 1;
      return frame;
    },
    logits: (frame) => (frame instanceof Float32Array ? frame : (frame[outputName] as Float32Array)),
  };
}
