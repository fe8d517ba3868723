/** A kernel that copies: where a value has a second place, and a state into its history before the first step. */
import type { Launch, Operand } from "../backend.ts";

export const copyOf = (from: Operand, to: Operand, rows: Launch["rows"]): Launch => ({
  kernel: {
    op: "map",
    width: to.width,
    inputs: 1,
    instructions: [{ fn: "copy", args: [{ input: 0 }] }],
    outputs: [0],
  },
  rows,
  inputs: [from],
  outputs: [to],
});
