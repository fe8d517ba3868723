/** `reduce`, `gather` and `scatterAdd`: what goes row by row. */
import { add, count, F64, I32, less, load, mul, shiftRight, when, type Assembler, type Routine } from "../assembler.ts"; // prettier-ignore
import * as f32 from "../instructions/f32.ts";
import * as f64 from "../instructions/f64.ts";
import { COLUMN, LAUNCH_PARAMETERS, located, NUMBERS, operandAt, ROW } from "../words.ts";

/** The numbers of all three: the width in bytes, and the table's rows (of a gather and a scatterAdd). */
export const ROW_NUMBERS = 2;
const WIDTH = NUMBERS;
const TABLE_ROWS = NUMBERS + 4;
const operand = (i: number): number => operandAt(ROW_NUMBERS, i);

/** In float64, in the order of the columns. NaN where one of a row is. */
export function reduce(assembler: Assembler, fn: "sum" | "mean" | "max"): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, ([launch, step, rows], locals, local) => {
    const [from, to, row, j, at, width] = locals(I32);
    const sum = local(F64);
    return [
      width.set(load(launch, WIDTH)),
      from.set(located(launch, operand(0), step)),
      to.set(located(launch, operand(1), step)),
      count(row, 0, rows, 1, [
        sum.set(f32.widen(f32.constant(fn === "max" ? -Infinity : 0))),
        at.set(from),
        count(j, 0, width, 4, [
          sum.set((fn === "max" ? f64.max : f64.add)(sum, f32.widen(f32.load(at)))),
          at.add(load(launch, operand(0) + COLUMN)),
        ]),
        f32.store(to, f64.narrow(fn === "mean" ? f64.over(sum, f64.fromI32(shiftRight(width, 2))) : sum)),
        from.add(load(launch, operand(0) + ROW)),
        to.add(load(launch, operand(1) + ROW)),
      ]),
    ];
  });
}

/** Rows of a table by index; zeros where the index isn't one of its rows. */
export function gather(assembler: Assembler): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, ([launch, step, rows], locals) => {
    const [table, index, to, row, j, width, from] = locals(I32);
    return [
      width.set(load(launch, WIDTH)),
      table.set(located(launch, operand(0), step)),
      index.set(located(launch, operand(1), step)),
      to.set(located(launch, operand(2), step)),
      count(row, 0, rows, 1, [
        from.set(f32.toI32(f32.load(index))),
        // −1 is a large number without its sign.
        when(
          less(from, load(launch, TABLE_ROWS)),
          [
            from.set(add(table, mul(from, load(launch, operand(0) + ROW)))),
            count(j, 0, width, 4, [
              f32.store(add(to, j), f32.load(from)),
              from.add(load(launch, operand(0) + COLUMN)),
            ]),
          ],
          count(j, 0, width, 4, f32.store(add(to, j), f32.constant(0))),
        ),
        index.add(load(launch, operand(1) + ROW)),
        to.add(load(launch, operand(2) + ROW)),
      ]),
    ];
  });
}

/** A table whose row i sums, in order, the rows with index i. */
export function scatterAdd(assembler: Assembler): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, ([launch, step, rows], locals) => {
    const [index, from, table, row, j, width, to, tableRows, at] = locals(I32);
    return [
      width.set(load(launch, WIDTH)),
      tableRows.set(load(launch, TABLE_ROWS)),
      index.set(located(launch, operand(0), step)),
      from.set(located(launch, operand(1), step)),
      table.set(located(launch, operand(2), step)),
      to.set(table),
      count(row, 0, tableRows, 1, [
        count(j, 0, width, 4, f32.store(add(to, j), f32.constant(0))),
        to.add(load(launch, operand(2) + ROW)),
      ]),
      count(row, 0, rows, 1, [
        to.set(f32.toI32(f32.load(index))),
        when(less(to, tableRows), [
          to.set(add(table, mul(to, load(launch, operand(2) + ROW)))),
          at.set(from),
          count(j, 0, width, 4, [
            f32.store(to, f32.add(f32.load(to), f32.load(at))),
            to.add(4),
            at.add(load(launch, operand(1) + COLUMN)),
          ]),
        ]),
        index.add(load(launch, operand(0) + ROW)),
        from.add(load(launch, operand(1) + ROW)),
      ]),
    ];
  });
}
