/**
 * How a launch is written down in the device's memory, in 32-bit words: which routine, how many rows, the kernel's numbers, and
 * its operands. The routines read it at every call, so a module serves every size.
 */
import {
  add,
  and,
  I32,
  load,
  mul,
  type Code,
  type Local,
  type NewLocal,
  type Some,
  type Value,
} from "./assembler.ts";

/** Bytes from the start of a launch. */
export const PLACE = 0; // of the routine, in the table
export const ROWS = 4; // that it has always
export const ROWS_PER_STEP = 8; // and that each step of its span adds
export const NUMBERS = 12; // the kernel's own

/** Of an operand: base, step, mask, row, column, in bytes. Element (r, j) at step t is at base + (t & mask) · step + r · row + j · column. */
export const OPERAND_WORDS = 5;

/** Parameters of the table's routines: a launch, a step, and how many rows. */
export const LAUNCH_PARAMETERS = 3;

/** An operand in locals: where it begins at a step, from row to row, from column to column. */
export type Operand = readonly [base: Local, row: Local, column: Local];

/**
 * A launch in locals, its numbers and its operands, and the code that reads it.
 * @param strides 1: an operand's column isn't asked for
 */
export function fieldsOf<Numbers extends readonly Local[] = Some>(
  [launch, step]: Some,
  local: NewLocal,
  numbers: number,
  operands: number,
  strides: 1 | 2 = 2,
): readonly [numbers: Numbers, operands: readonly Operand[], read: Code] {
  const take = (count: number): readonly Local[] => Array.from({ length: count }, () => local(I32));
  const own = take(numbers) as Numbers;
  const all = Array.from({ length: operands }, () => take(1 + strides) as Operand);
  const word = (i: number): Value => load(launch, NUMBERS + 4 * i);
  return [
    own,
    all,
    [
      own.map((number, i) => number.set(word(i))),
      all.map(([base, ...rest], i) => {
        const at = numbers + OPERAND_WORDS * i;
        return [
          base.set(add(word(at), mul(and(step, word(at + 2)), word(at + 1)))),
          rest.map((stride, s) => stride.set(word(at + 3 + s))),
        ];
      }),
    ],
  ];
}
