/**
 * The micro-kernel: a tile of results stays in registers while the sum over k runs, a step a turn. One accumulator a result, in
 * the order of k, whatever the tile: so a row has the same bits in any of them. Goto & van de Geijn 2008.
 */
import { add, type Code, I32, repeat, sub, V128, when, type Assembler, type Local, type Routine } from "../assembler.ts"; // prettier-ignore
import * as v from "../instructions/v128.ts";

/** Columns of a panel, in which the right operand lies packed: [K, 8]. */
export const PANEL = 8;

/**
 * `rows` × 8 · `panels` results. Left: packed [K, rows]. Parameters: left, right, K, bytes from panel to panel, where the sums
 * start from (0: from zero) and its row stride, where they go and its row stride, and how many tiles lie under each other: they
 * follow each other in what is packed, and share the panels. A single row has none under it; instead: bytes from k to k.
 */
export function tile(assembler: Assembler, rows: number, panels: number, relaxed: boolean): Routine {
  return assembler.routine(9, (parameters, locals, local) => {
    const [left, right, depth, panelStride, from, fromStride, to, toStride, tiles] = parameters;
    const stepBytes = rows > 1 ? 4 * PANEL : tiles;
    const multiplyAdd = v.madd(relaxed);
    const list = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
    const sums = list(rows).map(() => list(2 * panels).map(() => local(V128)));
    const pointers = list(panels).map(() => local(I32));
    const [k] = locals(I32);
    const [x] = locals(V128);
    const columns = list(2 * panels).map(() => local(V128));
    const columnOf = (c: number) => v.load(pointers[c >> 1] as Local, 16 * (c & 1));
    // A single row has no tiles under it: what only they need would cost a short sum a tenth of its time.
    const under = rows > 1;
    const body: Code[] = [
      pointers.map((p, i) => p.set(i === 0 ? right : add(pointers[i - 1] as Local, panelStride))),
      when(
        from,
        sums.map((row) => [row.map((sum, c) => sum.set(v.load(from, 16 * c))), from.add(fromStride)]),
        under ? sums.map((row) => row.map((sum) => sum.set(v.constant(0)))) : undefined,
      ),
      k.set(depth),
      when(
        k,
        repeat(
          [
            rows > 1 ? columns.map((column, c) => column.set(columnOf(c))) : [],
            sums.map((row, r) => [
              x.set(v.splatAt(left, 4 * r)),
              row.map((sum, c) =>
                sum.set(multiplyAdd(x, rows > 1 ? (columns[c] as Local) : columnOf(c), sum)),
              ),
            ]),
            left.add(4 * rows),
            pointers.map((p) => p.add(stepBytes)),
            k.set(sub(k, 1)),
          ],
          k,
        ),
      ),
      sums.map((row) => [row.map((sum, c) => v.store(to, sum, 16 * c)), to.add(toStride)]),
    ];
    return under ? repeat([body, tiles.set(sub(tiles, 1))], tiles) : body;
  });
}
