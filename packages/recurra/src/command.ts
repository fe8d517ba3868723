/** The command line: `recurra cells`, and `recurra explain CELL`, which shows what will run before anything is written. */
import { createModel, explain, RecurraError, recurrent, stack } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import { parseArgs } from "node:util";
import { cellsByName } from "./cells.ts";

const usage = `recurra cells
recurra explain CELL [--input 64] [--hidden 128] [--layers 1] [--bidirectional] [--gradient] [--steps T] [--batch B]`;

const options = {
  input: { type: "string", default: "64" },
  hidden: { type: "string", default: "128" },
  layers: { type: "string", default: "1" },
  bidirectional: { type: "boolean", default: false },
  gradient: { type: "boolean", default: false },
  steps: { type: "string" },
  batch: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

export interface Answer {
  readonly text: string;
  /** 2: words that make no sense. */
  readonly code: 0 | 2;
}

/** What the command line answers. */
export function answer(args: readonly string[]): Answer {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [verb, name, ...more] = positionals;
    if (values.help) return { text: usage, code: 0 };
    if (verb === "cells" && name === undefined)
      return { text: Object.keys(cellsByName(2)).join("\n"), code: 0 };
    if (verb !== "explain" || name === undefined || more.length > 0) return { text: usage, code: 2 };
    const hiddenSize = Number(values.hidden);
    const cells = cellsByName(hiddenSize);
    const cell = Object.hasOwn(cells, name) ? cells[name] : undefined;
    if (!cell)
      return { text: `cell: expected one of ${Object.keys(cells).join(", ")}, got ${name}`, code: 2 };
    const layer = recurrent(cell, {
      inputSize: Number(values.input),
      hiddenSize,
      layers: Number(values.layers),
      bidirectional: values.bidirectional,
    });
    const model = createModel(stack(layer), openCpu());
    const text = explain(model, {
      kind: values.gradient ? "gradient" : "run",
      ...(values.steps !== undefined && { steps: count(values.steps, "steps") }),
      ...(values.batch !== undefined && { batch: count(values.batch, "batch") }),
    });
    return { text: `${model.summary()}\n\n${text}`, code: 0 };
  } catch (error) {
    if (error instanceof RecurraError || (error instanceof TypeError && "code" in error))
      return { text: `${error.message}\n\n${usage}`, code: 2 };
    throw error;
  }
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new RecurraError(
      "INVALID_ARGUMENT",
      `--${name}: expected a whole number of at least 1, got ${text}`,
    );
  return value;
}
