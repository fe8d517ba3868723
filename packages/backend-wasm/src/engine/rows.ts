/** `reduce`, `gather` and `scatterAdd`: what goes row by row. */
import { add, count, F64, I32, less, mul, shiftRight, when, type Assembler, type Routine } from "../assembler.ts"; // prettier-ignore
import * as f32 from "../instructions/f32.ts";
import * as f64 from "../instructions/f64.ts";
import { fieldsOf, LAUNCH_PARAMETERS, type Operand } from "../words.ts";

/** The numbers of all three: the width in bytes, and the table's rows (of a gather and a scatterAdd). */
export const ROW_NUMBERS = 2;
/** In float64, in the order of the columns. NaN where one of a row is. */
export function reduce(assembler: Assembler, fn: "sum" | "mean" | "max"): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, (parameters, locals, local) => {
    const [[width], operands, read] = fieldsOf(parameters, local, ROW_NUMBERS, 2);
    const [[from, fromRow, fromColumn], [to, toRow]] = operands as [Operand, Operand];
    const [row, j, at] = locals(I32);
    const sum = local(F64);
    return [
      read,
      count(row, 0, parameters[2], 1, [
        sum.set(f32.widen(f32.constant(fn === "max" ? -Infinity : 0))),
        at.set(from),
        count(j, 0, width, 4, [
          sum.set((fn === "max" ? f64.max : f64.add)(sum, f32.widen(f32.load(at)))),
          at.add(fromColumn),
        ]),
        f32.store(to, f64.narrow(fn === "mean" ? f64.over(sum, f64.fromI32(shiftRight(width, 2))) : sum)),
        from.add(fromRow),
        to.add(toRow),
      ]),
    ];
  });
}

/** Rows of a table by index; zeros where the index isn't one of its rows. */
export function gather(assembler: Assembler): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, (parameters, locals, local) => {
    const [[width, tableRows], operands, read] = fieldsOf(parameters, local, ROW_NUMBERS, 3);
    const [[table, tableRow, tableColumn], [index, indexRow], [to, toRow]] = operands as [Operand, Operand, Operand]; // prettier-ignore
    const [row, j, from] = locals(I32);
    return [
      read,
      count(row, 0, parameters[2], 1, [
        from.set(f32.toI32(f32.load(index))),
        // −1 is a large number without its sign.
        when(
          less(from, tableRows),
          [
            from.set(add(table, mul(from, tableRow))),
            count(j, 0, width, 4, [f32.store(add(to, j), f32.load(from)), from.add(tableColumn)]),
          ],
          count(j, 0, width, 4, f32.store(add(to, j), f32.constant(0))),
        ),
        index.add(indexRow),
        to.add(toRow),
      ]),
    ];
  });
}

/** A table whose row i sums, in order, the rows with index i. */
export function scatterAdd(assembler: Assembler): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, (parameters, locals, local) => {
    const [[width, tableRows], operands, read] = fieldsOf(parameters, local, ROW_NUMBERS, 3);
    const [[index, indexRow], [from, fromRow, fromColumn], [table, tableRow]] = operands as [Operand, Operand, Operand]; // prettier-ignore
    const [row, j, to, at] = locals(I32);
    return [
      read,
      to.set(table),
      count(row, 0, tableRows, 1, [
        count(j, 0, width, 4, f32.store(add(to, j), f32.constant(0))),
        to.add(tableRow),
      ]),
      count(row, 0, parameters[2], 1, [
        to.set(f32.toI32(f32.load(index))),
        when(less(to, tableRows), [
          to.set(add(table, mul(to, tableRow))),
          at.set(from),
          count(j, 0, width, 4, [
            f32.store(to, f32.add(f32.load(to), f32.load(at))),
            to.add(4),
            at.add(fromColumn),
          ]),
        ]),
        index.add(indexRow),
        from.add(fromRow),
      ]),
    ];
  });
}
