/** Every shipped cell, for tests that hold for all of them. */
import * as core from "../../src/cells/index.ts";
import type { Cell } from "../../src/cell.ts";

const { lstmp, slstm, ...rest } = core;
export const cells: Readonly<Record<string, Cell>> = {
  ...rest,
  lstmp: lstmp({ projectionSize: 3 }),
  slstm: slstm(),
  slstmExp: slstm({ forget: "exp" }),
};
