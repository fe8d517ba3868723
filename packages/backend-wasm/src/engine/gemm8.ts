/**
 * `gemm` by a matrix in int8 (../int8.ts says how it lies): each row of the left operand is rounded to 14 bits with a scale of its
 * own, the products are summed exactly, and a result is addend + sum · scales. Where a row holds NaN or ∞, all its results are NaN.
 *
 * By relaxed dot products (`dots`), which take 8 bits by 7: what is rounded is made positive by adding 8192 and split in halves of 7
 * bits; 8192 times the sum of a row's weights is taken off again. The sums are the same.
 */
import { add, count, I32, least, less, mul, repeat, shiftLeft, shiftRight, sub, V128, when, choose, isZero, and, type Assembler, type Code, type Local, type Routine, type Value } from "../assembler.ts"; // prettier-ignore
import * as f32 from "../instructions/f32.ts";
import * as v from "../instructions/v128.ts";
import { ACTIVATION_STEPS, BLOCK8, panelOf, ROW_HEAD, STEP_BYTES, SUM_SCALE } from "../int8.ts";
import { GEMM_NUMBERS, type GemmNumbers } from "../gemm-words.ts";
import { fieldsOf, LAUNCH_PARAMETERS, type Operand } from "../words.ts";

/** Added to a small number it leaves the nearest whole one in the low bits: 1.5 · 2²³. */
const ROUNDER = 3 * 2 ** 22;
/** Below this, 8191 over a row's largest magnitude could overflow: the row is scaled up first. */
const SMALL = 2 ** -100;
const UP = 2 ** 80;

/** Rounds a row. Parameters: from, depth, to. What is read past the end meets weights of 0. */
function round(assembler: Assembler, dots: boolean): Routine {
  return assembler.routine(3, (parameters, locals) => {
    const [from, depth, to] = parameters;
    const [k, whole, at, sums] = locals(I32);
    const [largest, up, scale, x, rounder] = locals(V128);
    const [low, high, magnitude] = locals(V128);
    // As whole numbers magnitudes are in order, ∞ and NaN last.
    const see = (value: Code[]): Code => largest.set(v.maxI32(largest, v.and([value], magnitude)));
    const zeros = Array<number>(8).fill(0);
    const twice128 = 128 | (128 << 16);
    const packed = dots
      ? [
          x.set(v.or(v.and(x, low), v.and(v.shiftLeftI32(x, 1), high))),
          v.storeHalf(to, v.pick(x, x, 1, 5, 9, 13, 0, 4, 8, 12, ...zeros)),
        ]
      : [
          x.set(v.pick(x, x, 0, 1, 4, 5, 8, 9, 12, 13, ...zeros)),
          v.storeHalf(to, x),
          // Half of the weights have 128 too much.
          high.set(v.subI32(high, v.dotI16(x, low))),
        ];
    return [
      magnitude.set(v.bits(0x7fffffff)),
      whole.set(and(depth, -4)),
      at.set(from),
      count(k, 0, whole, 4, [see([...v.load(at)]), at.add(16)]),
      count(k, whole, depth, 1, [see([...v.splatAt(at)]), at.add(4)]),
      largest.set(v.maxI32(largest, v.shuffle(largest, largest, 2, 3, 0, 1))),
      largest.set(v.maxI32(largest, v.shuffle(largest, largest, 1, 0, 3, 2))),
      // ∞ becomes NaN.
      v.store(to, v.add(largest, v.mul(largest, v.constant(0)))),
      sums.set(add(to, 16)),
      to.add(ROW_HEAD),
      up.set(v.bitSelect(v.constant(UP), v.constant(1), v.less(largest, v.constant(SMALL)))),
      scale.set(
        v.and(v.over(v.constant(ACTIVATION_STEPS), v.mul(largest, up)), v.notEqual(largest, v.constant(0))),
      ),
      rounder.set(v.constant(dots ? ROUNDER + ACTIVATION_STEPS + 1 : ROUNDER)),
      low.set(dots ? v.bits(0x7f) : v.lanes(twice128, twice128, 0, 0)),
      dots ? high.set(v.bits(0x7f00)) : [],
      count(k, 0, depth, 4, [
        x.set(v.add(v.mul(v.mul(v.load(from), up), scale), rounder)),
        packed,
        from.add(16),
        to.add(8),
      ]),
      dots
        ? []
        : v.store(sums, v.addI32(v.shuffle(high, high, 0, 0, 0, 0), v.shuffle(high, high, 1, 1, 1, 1))),
    ];
  });
}

/**
 * A panel's results of a row. Parameters: the rounded row, the panel, its steps, where the addends are (0: none), where the results go.
 */
function products(assembler: Assembler, dots: boolean): Routine {
  return assembler.routine(5, (parameters, locals, local) => {
    const [row, panel, steps, from, to] = parameters;
    const { columns, deep } = panelOf(dots);
    const list = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
    const groups = list(columns / 4);
    const vectors = (n: number): Local[] => list(n).map(() => local(V128));
    const [low, high] = [vectors(columns / 4), vectors(columns / 4)];
    const [x, y, weights, magnitude] = locals(V128);
    const [head] = locals(I32);
    const plus = (to: Local | undefined, w: Value, by: Local): Code =>
      to!.set(dots ? v.relaxedDotAdd(w, by, to!) : v.addI32(to!, v.dotI16(w, by)));
    /** 16 bytes of a step, in one go. */
    const part = (i: number): Code => [
      weights.set(v.load(panel, 16 * i)),
      dots
        ? [plus(high[i], weights, x), plus(low[i], weights, y)]
        : [plus(low[2 * i], weights, x), plus(low[2 * i + 1], v.shiftRightI16(weights, 8), x)],
    ];
    /** The sums of four of the panel's rows. */
    const total = (g: number): Value => {
      const sum = low[g] as Local;
      if (dots)
        return v.subI32(v.addI32(v.shiftLeftI32(high[g]!, 7), sum), v.load(panel, 4 * columns + 16 * g));
      // Those of whole numbers have passed 2³² many a time; what is left is exact.
      return g % 2 ? sum : v.subI32(sum, v.shiftLeftI32(low[g + 1]!, 8));
    };
    const scaled = (g: number) =>
      v.mul(v.mul(v.mul(v.fromI32(total(g)), v.constant(SUM_SCALE)), v.load(panel, 16 * g)), magnitude);
    return [
      head.set(row),
      row.add(ROW_HEAD),
      dots ? [] : groups.map((g) => (g % 2 ? [] : low[g]!.set(v.load(head, 16)))),
      repeat(
        [
          x.set(v.splatAt(row)),
          dots ? y.set(v.splatAt(row, 4)) : [],
          list(STEP_BYTES / 16).map(part),
          row.add(2 * deep),
          panel.add(STEP_BYTES),
          steps.set(sub(steps, 1)),
        ],
        steps,
      ),
      magnitude.set(v.load(head)),
      when(
        from,
        groups.map((g) => v.store(to, v.add(v.load(from, 16 * g), scaled(g)), 16 * g)),
        groups.map((g) => v.store(to, scaled(g), 16 * g)),
      ),
    ];
  });
}

/** It takes a launch as `gemm` does. */
export function gemm8(assembler: Assembler, dots: boolean): Routine {
  const rounded = round(assembler, dots);
  const panelProducts = products(assembler, dots);
  const { columns, deep: stepDeep, tailBytes } = panelOf(dots);
  return assembler.routine(LAUNCH_PARAMETERS, (parameters, locals, local) => {
    const [numbers, operands, read] = fieldsOf<GemmNumbers<Local>>(parameters, local, GEMM_NUMBERS, 4);
    const [width, room, depth, , panel, , stripe, left, , edge, added] = numbers;
    const [[a, aRow], , [from, fromRow], [to, toRow]] = operands as [Operand, Operand, Operand, Operand];
    const rows = parameters[2];
    const [k, deep, steps, rowBytes, first, i, high, j] = locals(I32);
    const [r, block, addend, out, whole, c] = locals(I32);
    const at = (base: Local, stride: Local, offset: Code[]): readonly Code[] =>
      add(base, add(mul(add(i, r), stride), [offset]));
    return [
      read,
      from.set(mul(from, added)),
      repeat(
        [
          deep.set(least(sub(depth, k), stripe)),
          steps.set(shiftLeft(shiftRight(add(deep, 3), 2), stepDeep === 2 ? 1 : 0)),
          rowBytes.set(add(mul(steps, 2 * stepDeep), ROW_HEAD)),
          first.set(panel),
          count(i, 0, rows, BLOCK8, [
            high.set(least(sub(rows, i), BLOCK8)),
            block.set(left),
            count(r, 0, high, 1, [
              rounded.call(at(a, aRow, [...shiftLeft(k, 2)]), deep, block),
              block.add(rowBytes),
            ]),
            panel.set(first),
            count(j, 0, width, columns, [
              // A panel may hang over the last column.
              whole.set(isZero(less(sub(room, j), columns))),
              block.set(left),
              count(r, 0, high, 1, [
                out.set(at(to, toRow, [...shiftLeft(j, 2)])),
                addend.set(choose(from, at(from, fromRow, [...shiftLeft(j, 2)]), 0)),
                panelProducts.call(block, panel, steps, addend, choose(whole, out, edge)),
                when(
                  isZero(whole),
                  count(c, 0, shiftLeft(least(sub(width, j), columns), 2), 4, f32.store(add(out, c), f32.load(add(edge, c)))),
                ),
                block.add(rowBytes),
              ]),
              panel.add(add(mul(steps, STEP_BYTES), tailBytes)),
            ]),
          ]),
          // What comes next is added to what is there.
          from.set(to),
          fromRow.set(toRow),
          k.add(deep),
        ],
        less(k, depth),
      ),
    ]; // prettier-ignore
  });
}
