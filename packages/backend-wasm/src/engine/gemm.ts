/**
 * `gemm`: the left operand packed in tiles of four rows (or two, or one), the right one in panels of eight columns: ahead of time
 * where it is a parameter, else here. A panel stays in the first cache while the tiles of a block of rows pass, the block in the second.
 */
import {
  add, and, choose, count, equals, f32, I32, isZero, least, less, load, mul, repeat, shiftLeft, sub, when, type Assembler, type Code, type Local,
  type Routine,
} from "../assembler.ts"; // prettier-ignore
import { COLUMN, launchSignature, located, NUMBERS, operandAt, ROW } from "../words.ts";
import { interleave, packPanels } from "./pack.ts";
import { PANEL, tile } from "./tile.ts";

/** Rows of a block. */
export const BLOCK_ROWS = 64;

/** A gemm's numbers, in order. */
export const gemmNumbers = [
  "width",
  "room", // columns that its rows have room for: a tile may write there
  "depth", // 0: as many as there are rows
  "rows", // of the result; 0: as many as there are rows
  "packed", // the right operand's panels; 0: pack it here
  "stripe", // how far the sum runs before the next block: what is packed must fit
  "left", // scratch for the packed left operand
  "right", // scratch for the packed right operand
  "edge", // scratch for a tile that hangs over the last column
  "from", // whether there is an addend
] as const;
/** Its operands, in order. */
const [A, B, ADDEND, OUT] = [0, 1, 2, 3].map((i) => operandAt(gemmNumbers.length, i)) as [
  number,
  number,
  number,
  number,
];

/** Rows of `bytes` bytes, from one stride to another. */
function copyRows(assembler: Assembler): Routine {
  return assembler.routine({ parameters: [I32, I32, I32, I32, I32, I32] }, (parameters, local) => {
    const [from, fromStride, to, toStride, rows, bytes] = parameters as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const [r, j] = [local(I32), local(I32)];
    return [
      count(r, 0, rows, 1, [
        count(j, 0, bytes, 4, f32.store(add(to, j), f32.load(add(from, j)))),
        from.add(fromStride),
        to.add(toStride),
      ]),
    ];
  });
}

export function gemm(
  assembler: Assembler,
  relaxed: boolean,
): { readonly gemm: Routine; readonly pack: Routine } {
  const interleaved = interleave(assembler);
  const pack = packPanels(assembler, interleaved);
  const copy = copyRows(assembler);
  /** Rows of a tile, how many panels, its routine. */
  const tiles = ([[4, 1], [2, 2], [1, 4]] as const).map(
    ([rows, panels]) => [rows, panels, tile(assembler, rows, panels, relaxed)] as const,
  ); // prettier-ignore

  const routine = assembler.routine(launchSignature, ([launch, step, rows], local) => {
    const number = (name: (typeof gemmNumbers)[number]) =>
      load(launch!, NUMBERS + 4 * gemmNumbers.indexOf(name));
    const variable = (): Local => local(I32);
    const [width, room, height, depth, packed, stripe, left, right, edge] = Array.from({ length: 9 }, variable) as [
      Local, Local, Local, Local, Local, Local, Local, Local, Local,
    ]; // prettier-ignore
    const [a, aRow, aDepth, b, from, fromRow, to, toRow] = Array.from({ length: 8 }, variable) as [
      Local, Local, Local, Local, Local, Local, Local, Local,
    ]; // prettier-ignore
    const [k, deep, i, high, j, r, panels, panelStride, block, after, columns] = Array.from({ length: 11 }, variable) as [
      Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local,
    ]; // prettier-ignore
    const fallback = (name: "rows" | "depth", value: Local): Code => [
      value.set(number(name)),
      when(isZero(value), value.set(rows!)),
    ];
    const single = local(I32);
    /** Row i + r of the left operand, from k. */
    const rowAt = (): readonly Code[] => add(a, add(mul(add(i, r), aRow), mul(k, aDepth)));
    const packRows = (tileRows: number): Code => [
      interleaved.call(rowAt(), aRow, aDepth, deep, tileRows, block, 4 * tileRows),
      block.add(mul(deep, 4 * tileRows)),
    ];

    /** One tile at row i + r, column j; its packed rows begin at `block`. */
    const one = (tileRows: number, tilePanels: number, routineOf: Routine): Code => [
      columns.set(sub(width, j)),
      after.set(add(to, add(mul(add(i, r), toRow), shiftLeft(j, 2)))),
      when(
        less(sub(room, j), PANEL * tilePanels),
        [
          routineOf.call(
            block, panels, deep, panelStride, choose(from, add(from, add(mul(add(i, r), fromRow), shiftLeft(j, 2))), 0), fromRow, edge, 128,
          ),
          copy.call(edge, 128, after, toRow, tileRows, shiftLeft(least(columns, PANEL * tilePanels), 2)),
        ],
        routineOf.call(
          block, panels, deep, panelStride, choose(from, add(from, add(mul(add(i, r), fromRow), shiftLeft(j, 2))), 0), fromRow, after, toRow,
        ),
      ),
    ]; // prettier-ignore

    return [
      width.set(number("width")),
      room.set(number("room")),
      fallback("rows", height),
      fallback("depth", depth),
      packed.set(number("packed")),
      stripe.set(number("stripe")),
      left.set(number("left")),
      right.set(number("right")),
      edge.set(number("edge")),
      a.set(located(launch!, A, step!)),
      aRow.set(load(launch!, A + ROW)),
      aDepth.set(load(launch!, A + COLUMN)),
      b.set(located(launch!, B, step!)),
      to.set(located(launch!, OUT, step!)),
      toRow.set(load(launch!, OUT + ROW)),
      when(number("from"), [
        from.set(located(launch!, ADDEND, step!)),
        fromRow.set(load(launch!, ADDEND + ROW)),
      ]),
      repeat(
        [
          deep.set(least(sub(depth, k), stripe)),
          panelStride.set(shiftLeft(choose(packed, depth, deep), 5)),
          when(
            packed,
            right.set(add(packed, shiftLeft(k, 5))),
            pack.call(
              add(b, mul(k, load(launch!, B + ROW))), load(launch!, B + ROW), load(launch!, B + COLUMN), deep, width, right, panelStride,
            ),
          ), // prettier-ignore
          count(i, 0, height, BLOCK_ROWS, [
            high.set(least(sub(height, i), BLOCK_ROWS)),
            // Pack: whole tiles of four rows, then two, then one.
            block.set(left),
            r.set(0),
            count(r, 0, and(high, -4), 4, packRows(4)),
            when(and(high, 2), [packRows(2), r.add(2)]),
            // A single row may lie packed as it is.
            when(
              and(high, 1),
              when(equals(aDepth, 4), single.set(rowAt()), [single.set(block), packRows(1)]),
            ),
            // Panels outside, tiles inside.
            panels.set(right),
            when(
              less(3, high),
              count(j, 0, width, PANEL, [
                block.set(left),
                count(r, 0, and(high, -4), 4, [one(4, 1, tiles[0]![2]), block.add(mul(deep, 16))]),
                panels.add(panelStride),
              ]),
            ),
            tiles
              .slice(1)
              .map(([tileRows, tilePanels, routineOf]) =>
                when(and(high, tileRows), [
                  r.set(tileRows === 2 ? and(high, -4) : and(high, -2)),
                  block.set(tileRows === 1 ? single : add(left, mul(mul(deep, r), 4))),
                  panels.set(right),
                  count(j, 0, width, PANEL * tilePanels, [
                    one(tileRows, tilePanels, routineOf),
                    panels.add(mul(panelStride, tilePanels)),
                  ]),
                ]),
              ),
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
