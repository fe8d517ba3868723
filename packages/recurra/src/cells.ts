/** The shipped cells by name: every cell that core exports, and those with options, with their usual ones. */
import * as core from "@recurra/core";

const isCell = (value: unknown): value is core.Cell =>
  typeof value === "object" && value !== null && "apply" in value && "weights" in value;

/** @param hiddenSize a projection has half its width */
export const cellsByName = (hiddenSize: number): Readonly<Record<string, core.Cell>> => ({
  ...Object.fromEntries(
    Object.entries(core).filter((entry): entry is [string, core.Cell] => isCell(entry[1])),
  ),
  lstmp: core.lstmp({ projectionSize: Math.max(1, hiddenSize >> 1) }),
  slstm: core.slstm(),
});
