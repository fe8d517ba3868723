/**
 * `gemm`: the left operand packed in tiles of four rows (or two, or one), the right one in panels of eight columns: ahead of time
 * where it is a parameter, else here. A panel stays in the first cache while the tiles of a block of rows pass, the block in the second.
 * What only a single row is multiplied by is read once, as fast as it comes: the panels that its tile takes at a time lie abreast, a k
 * after another, so that all of it is one stream. Where it isn't packed yet that would be another pass, so it is read as it lies.
 */
import { add, and, choose, count, during, equals, I32, isZero, least, less, mul, quotient, remainder, repeat, shiftLeft, sub, when, type Assembler, type Code, type Local, type Routine, type Value } from "../assembler.ts"; // prettier-ignore
import * as f32 from "../instructions/f32.ts";
import { GEMM_NUMBERS, type GemmNumbers } from "../gemm-words.ts";
import { fieldsOf, LAUNCH_PARAMETERS, type Operand } from "../words.ts";
import { interleave, packPanels } from "./pack.ts";
import { PANEL, tile } from "./tile.ts";

/** Rows of a block. */
export const BLOCK_ROWS = 64;

/** Where a tile that hangs over the last column goes: rows of six panels. */
const EDGE_STRIDE = 6 * 4 * PANEL;
export const EDGE_BYTES = 6 * EDGE_STRIDE;

/** Rows of `bytes` bytes, from one stride to another. */
function copyRows(assembler: Assembler): Routine {
  return assembler.routine(6, (parameters, locals) => {
    const [from, fromStride, to, toStride, rows, bytes] = parameters;
    const [r, j] = locals(I32);
    return [
      count(r, 0, rows, 1, [
        count(j, 0, bytes, 4, f32.store(add(to, j), f32.load(add(from, j)))),
        from.add(fromStride),
        to.add(toStride),
      ]),
    ];
  });
}

/** From this depth on four panels at a time are one too many for the registers of baseline SIMD; in shorter sums fewer ends outweigh that. */
const DEEP = 256;

/** How many panels a tile of one row takes at a time: as many as there are left. Threads cut between those of four, 32 columns. */
export const panelsOfRow = (relaxed: boolean, depth: number, shared = false): readonly number[] =>
  relaxed ? [6, 4, 2, 1].slice(shared ? 1 : 0) : [4, 3, 2, 1].slice(depth < DEEP ? 0 : 1);

/**
 * Rows of a tile, and how many panels it takes at a time. As many sums and loaded vectors as there are registers: engines load
 * everything of a step before they multiply, but for those with relaxed SIMD, which keep to the order written down.
 */
const shapes = (relaxed: boolean): readonly (readonly [number, readonly number[]])[] =>
  relaxed
    ? [[6, [1]], [4, [1]], [2, [2, 1]], [1, panelsOfRow(relaxed, 0)]]
    : [[4, [1]], [2, [2, 1]], [1, panelsOfRow(relaxed, 0)]]; // prettier-ignore

export function gemm(
  assembler: Assembler,
  relaxed: boolean,
): { readonly gemm: Routine; readonly pack: Routine } {
  const interleaved = interleave(assembler);
  const pack = packPanels(assembler, interleaved);
  const copy = copyRows(assembler);
  const tiles = shapes(relaxed).map(([rows, widths]) => ({
    rows,
    widths: widths.map((panels) => ({ panels, routine: tile(assembler, rows, panels, relaxed) })),
  }));

  const routine = assembler.routine(LAUNCH_PARAMETERS, (parameters, locals, local) => {
    const [numbers, operands, read] = fieldsOf<GemmNumbers<Local>>(parameters, local, GEMM_NUMBERS, 4);
    const [width, room, depth, height, packed, abreast, stripe, left, right, edge, added, nextUnit, unitsEnd] = numbers; // prettier-ignore
    const [[a, aRow, aDepth], [b, bRow, bColumn], [from, fromRow], [to, toRow]] = operands as [Operand, Operand, Operand, Operand]; // prettier-ignore
    const rows = parameters[2];
    const [k, deep, i, high, j, r, first, last, panels, panelStride, block, after, start] = locals(I32);
    const [between, asIs, unit, single] = locals(I32);

    /** Row i + r of the left operand, from k. */
    const rowAt = (offset = 0): readonly Code[] =>
      add(a, add(mul(add(add(i, r), offset), aRow), mul(k, aDepth)));
    /** Pack the rows of a tile. Those past the fourth go first, since they write over what comes after them. */
    const packRows = (tileRows: number): Code => [
      tileRows > 4
        ? interleaved.call(rowAt(4), aRow, aDepth, deep, tileRows - 4, add(block, 16), 4 * tileRows)
        : [],
      interleaved.call(rowAt(), aRow, aDepth, deep, Math.min(tileRows, 4), block, 4 * tileRows),
      block.add(mul(deep, 4 * tileRows)),
    ];
    /** Run for the rows from `first` that tiles of so many rows take, up to `last`. */
    const eachKind = (body: (kind: (typeof tiles)[number]) => Code): Code => [
      first.set(0),
      tiles.map((kind) => [
        last.set(sub(high, remainder(sub(high, first), kind.rows))),
        when(less(first, last), body(kind)),
        first.set(last),
      ]),
    ];

    /** Tiles under each other, at row i + r and column j; their packed rows begin at `block`. */
    const column = (
      { routine: tileOf, panels: wide }: (typeof tiles)[number]["widths"][number],
      tileRows: number,
      to: Value,
      stride: Value,
      count: Value,
    ): Code =>
      tileOf.call(
        block, panels, deep, between, start, fromRow, to, stride,
        tileRows > 1 ? count : choose(asIs, asIs, choose(abreast, 4 * PANEL * wide, 4 * PANEL)),
      ); // prettier-ignore
    /** Whether so many panels are left, and are taken at a time. */
    const fits = (wide: number): Value => {
      const left = less(add(j, PANEL * (wide - 1)), add(unit, width));
      if (relaxed ? wide < 6 : wide < 4) return left;
      return and(left, relaxed ? less(abreast, 2) : less(depth, DEEP));
    };
    const locate = (): Code => [
      after.set(add(to, add(mul(add(i, r), toRow), shiftLeft(j, 2)))),
      start.set(choose(from, add(from, add(mul(add(i, r), fromRow), shiftLeft(j, 2))), 0)),
    ];

    /** A block's rows by the columns of a unit. Panels outside, so that each stays in the first cache; tiles inside. */
    const unitColumns = eachKind(({ rows: tileRows, widths }) => [
      j.set(unit),
      panels.set(add(right, mul(panelStride, quotient(unit, PANEL)))),
      widths.map((shape) =>
        during(fits(shape.panels), [
          block.set(tileRows > 1 ? add(left, shiftLeft(mul(deep, first), 2)) : single),
          r.set(first),
          when(
            less(sub(add(unit, room), j), PANEL * shape.panels),
            // They hang over the last column: one by one, by way of the edge.
            count(r, first, last, tileRows, [
              locate(),
              column(shape, tileRows, edge, EDGE_STRIDE, 1),
              copy.call(edge, EDGE_STRIDE, after, toRow, tileRows, shiftLeft(sub(add(unit, width), j), 2)),
              block.add(mul(deep, 4 * tileRows)),
            ]),
            [locate(), column(shape, tileRows, after, toRow, quotient(sub(last, first), tileRows))],
          ),
          j.add(PANEL * shape.panels),
          panels.add(mul(panelStride, shape.panels)),
        ]),
      ),
    ]);

    return [
      read,
      [height, depth].map((number) => number.set(choose(number, number, rows))),
      from.set(mul(from, added)),
      // What isn't packed and only one row is multiplied by, as in a bias's gradient, is read where it lies: bytes from k to k, else 0.
      asIs.set(choose(and(and(isZero(packed), equals(height, 1)), equals(bColumn, 4)), bRow, 0)),
      repeat(
        [
          deep.set(least(sub(depth, k), stripe)),
          panelStride.set(choose(asIs, 4 * PANEL, shiftLeft(choose(packed, depth, deep), 5))),
          between.set(choose(abreast, 4 * PANEL, panelStride)),
          when(
            packed,
            right.set(add(packed, shiftLeft(k, 5))),
            [
              start.set(add(b, mul(k, bRow))),
              when(
                asIs,
                right.set(start),
                pack.call(start, bRow, bColumn, deep, width, right, panelStride, 4 * PANEL),
              ),
            ],
          ), // prettier-ignore
          count(i, 0, height, BLOCK_ROWS, [
            high.set(least(sub(height, i), BLOCK_ROWS)),
            block.set(left),
            eachKind(({ rows: tileRows }) => {
              const copied = count(r, first, last, tileRows, packRows(tileRows));
              // A single row may lie packed as it is.
              return tileRows > 1
                ? copied
                : [r.set(first), single.set(block), when(equals(aDepth, 4), single.set(rowAt()), copied)];
            }),
            unit.set(0),
            repeat([unitColumns, unit.add(nextUnit)], less(unit, unitsEnd)),
          ]),
          // What comes next is added to what is there.
          from.set(to),
          fromRow.set(toRow),
          k.add(deep),
        ],
        less(k, depth),
      ),
    ];
  });
  return { gemm: routine, pack };
}
