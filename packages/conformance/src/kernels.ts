/** Running one kernel against its meaning. */
import type { Backend, Kernel } from "@recurra/core/internal";
import type { Draw } from "./draw.ts";
import type { Tally } from "./law.ts";
import { DeviceMatrix, type Layout } from "./matrix.ts";
import { expectedOf } from "./reference.ts";

export interface Case {
  readonly kernel: Kernel;
  /** The number of rows it is bound to. */
  readonly rows: number;
  readonly inputs: readonly Layout[];
  readonly outputs: readonly Layout[];
  readonly tableRows?: number;
  /** Values of an input; default ±2. */
  readonly values?: (input: number, draw: Draw) => number;
  /** An input and an output that are one matrix. */
  readonly inPlace?: { readonly input: number; readonly output: number };
}

export const shapesOf = ({ kernel, rows, inputs }: Case): string =>
  `${kernel.op}, ${rows} rows, inputs ${inputs.map((l) => `[${l.rows}, ${l.width}]${l.repeat && l.repeat !== "none" ? ` repeated by ${l.repeat}` : ""}`).join(" ")}, ${JSON.stringify(kernel)}`;

/** Bind the kernel to random views, run it at a few steps, and hold every result against the oracle. */
export async function judge(backend: Backend, tally: Tally, draw: Draw, given: Case): Promise<void> {
  const { kernel, rows, tableRows, inPlace, values = (_: number, d: Draw) => d.between(-2, 2) } = given;
  const inputs = given.inputs.map((layout, i) =>
    new DeviceMatrix(backend, draw, layout).fill(() => values(i, draw)),
  );
  const outputs = given.outputs.map((layout, o) =>
    inPlace?.output === o
      ? inputs[inPlace.input]!
      : new DeviceMatrix(backend, draw, layout).fill(() => draw.between(-2, 2)),
  );
  const views = [...inputs, ...outputs].map((m) => m.view);
  const bound = backend.prepare(kernel).bind(rows, views, tableRows);
  const spanned = given.inputs.find((l) => l.span) ?? given.outputs.find((l) => l.span);
  for (const step of [0, spanned ? spanned.slots! - spanned.span! : draw.whole(1, 5)]) {
    const found = inputs.map((m) => ({ rows: m.rows, width: m.width, data: m.values(step) }));
    const expected = expectedOf(kernel, rows, found, tally.accuracy, tableRows);
    bound.run(step);
    for (const [o, output] of outputs.entries()) {
      const got = await output.result(step, tally, `output ${o}`);
      const at = (i: number): string => `(${Math.floor(i / output.width)}, ${i % output.width})`;
      tally.within(got, expected[o]!, (i) => `element ${at(i)} of output ${o} at step ${step}`);
    }
    for (const [i, input] of inputs.entries())
      if (!outputs.includes(input)) await input.unchanged(tally, `input ${i}`);
  }
  for (const m of new Set([...inputs, ...outputs])) m.free();
}
