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

/** Routines of the table take a launch, a step, and how many rows. */
export const launchSignature = { parameters: [0x7f, 0x7f, 0x7f] } as const;

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

/** A gemm's numbers, in order. */
export const gemmNumbers = [
  "width",
  "room", // columns that its rows have room for: a tile may write there
  "depth", // 0: as many as there are rows
  "rows", // of the result; 0: as many as there are rows
  "packed", // the right operand's panels; 0: pack it here
  "abreast", // whether they lie as a tile of one row reads them, a k after another: all rows are run one by one
  "stripe", // how far the sum runs before the next block: what is packed must fit
  "left", // scratch for the packed left operand
  "right", // scratch for the packed right operand
  "edge", // scratch for a tile that hangs over the last column
  "from", // whether there is an addend
] as const;
