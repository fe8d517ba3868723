/**
 * How a launch is written down in the device's memory, in 32-bit words: which routine, how many rows, the kernel's numbers, and
 * its operands. The routines read it at every call, so a module serves every size.
 */
import { add, and, load, mul, type Local, type Value } from "./assembler.ts";

/** Bytes from the start of a launch. */
export const PLACE = 0; // of the routine, in the table
export const ROWS = 4; // that it has always
export const ROWS_PER_STEP = 8; // and that each step of its span adds
export const NUMBERS = 12; // the kernel's own

/** Bytes from the start of an operand: element (r, j) at step t is at base + (t & mask) · step + r · row + j · column. */
export const BASE = 0;
export const STEP = 4;
export const MASK = 8;
export const ROW = 12;
export const COLUMN = 16;
export const OPERAND_WORDS = 5;

/** Parameters of the table's routines: a launch, a step, and how many rows. */
export const LAUNCH_PARAMETERS = 3;

/** Where an operand begins at a step. */
export const located = (launch: Local, operand: number, step: Value): readonly Code[] =>
  add(
    load(launch, operand + BASE),
    mul(and(step, load(launch, operand + MASK)), load(launch, operand + STEP)),
  );

type Code = ReturnType<typeof add>[number];

/** Bytes of a kernel's operand, behind `numbers` numbers of its own. */
export const operandAt = (numbers: number, index: number): number =>
  NUMBERS + 4 * (numbers + OPERAND_WORDS * index);
