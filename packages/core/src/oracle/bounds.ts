/**
 * Running error analysis: beside each value, how far a device with a declared accuracy may be from it. Sound to first order in
 * the unit roundoff and for any order of summation. Across steps of a loop such bounds explode; pin the states there.
 */
import type { Accuracy, FunctionName, WorstError } from "../backend.ts";
import type { MapNode, Node, OuterNode, ProductNode } from "../graph.ts";
import { addDots } from "./dots.ts";
import { data, factors, move, scatterAdd, stride, type MatrixOf } from "./exact.ts";
import { propagate } from "./propagate.ts";
import { activationError, largestOf, quantized } from "./quantize.ts";
import type { Arithmetic, Sum, Value } from "./value.ts";

/** These only choose or compare; every device gets them right. */
const exact: ReadonlySet<FunctionName> = new Set<FunctionName>([
  "copy", "neg", "abs", "relu", "max", "min", "less", "lessEqual", "equal", "clamp", "select",
]); // prettier-ignore

/** What a backend promises of one pointwise function. */
export const worstError = ({ unit, functions }: Accuracy, fn: FunctionName): WorstError =>
  functions[fn] ?? { relative: exact.has(fn) ? 0 : unit, absolute: 0 };

/** What is lost where a result is too small: half the smallest subnormal, or all of it. */
export const underflow = ({ subnormals }: Accuracy): number => (subnormals ? 2 ** -150 : 2 ** -126);

const largest = (2 - 2 ** -23) * 2 ** 127;
const smallest = 2 ** -126;

/** Bounds that hold for every device of this accuracy. */
export function bounded(accuracy: Accuracy): Arithmetic {
  const { unit, accumulate } = accuracy;
  const tiny = underflow(accuracy);
  const round = (y: number, error: number, relative: number, absolute: number): number =>
    (y === 0 || !Number.isFinite(y)) && error === 0
      ? 0
      : error + relative * (Math.abs(y) + error) + absolute + tiny;
  /** The error of a sum of `depth` terms of this total magnitude, whatever their order, plus the rounding of storing it. */
  const sumError = (y: number, error: number, depth: number, magnitude: number): number =>
    magnitude === 0 && error === 0
      ? 0
      : error +
        ((depth * accumulate) / (1 - depth * accumulate)) * magnitude +
        unit * (Math.abs(y) + error) +
        (depth + 1) * tiny;

  const map = (node: MapNode, out: Value, args: readonly Value[], from: number, to: number): void => {
    const [a, b, c] = [args[0]!, args[1] ?? args[0]!, args[2] ?? args[0]!];
    const [sa, sb, sc] = [stride(a, out.width), stride(b, out.width), stride(c, out.width)];
    const move = propagate[node.fn];
    const { relative, absolute } = worstError(accuracy, node.fn);
    const rounds = relative > 0 || absolute > 0;
    for (let r = from; r < to; r++)
      for (let j = 0; j < out.width; j++) {
        const [ia, ib, ic] = [
          r * sa.row + j * sa.column,
          r * sb.row + j * sb.column,
          r * sc.row + j * sc.column,
        ];
        const [va, vb, vc] = [a.data[ia]!, b.data[ib]!, c.data[ic]!];
        const at = r * out.width + j;
        const y = out.data[at]!;
        const moved = move(y, va, a.error?.[ia] ?? 0, vb, b.error?.[ib] ?? 0, vc, c.error?.[ic] ?? 0);
        if (y !== y) {
          // A NaN that came in comes out; one that only arises within the bounds is anyone's guess.
          const came = va !== va || (args.length > 1 && vb !== vb) || (args.length > 2 && vc !== vc);
          out.error![at] = came || moved === 0 ? 0 : Infinity;
        } else out.error![at] = rounds ? round(y, moved, relative, absolute) : moved;
      }
    if (out.sum) chain(out, args, from, to);
  };

  /** Sums of products that are added up may be joined in one: terms of each then pass through the roundings of the others. */
  const chain = (out: Value, args: readonly Value[], from: number, to: number): void => {
    const [a, b] = args as [Value, Value];
    const [sa, sb] = [stride(a, out.width), stride(b, out.width)];
    for (let r = from; r < to; r++)
      for (let j = 0; j < out.width; j++) {
        const at = r * out.width + j;
        if (!Number.isFinite(out.data[at])) continue;
        const [ma, mb] = [magnitude(a, r * sa.row + j * sa.column), magnitude(b, r * sb.row + j * sb.column)];
        const stored = (a.sum ? 0 : ma) + (b.sum ? 0 : mb);
        out.sum!.magnitude[at] = ma + mb;
        out.error![at]! += accumulate * ((b.sum?.depth ?? 1) * ma + (a.sum?.depth ?? 1) * mb) + unit * stored;
      }
  };

  const product = (
    node: ProductNode | OuterNode,
    out: Value,
    args: readonly Value[],
    from: number,
    to: number,
  ): void => {
    const start = from * out.width;
    const add = (pickA: MatrixOf, pickB: MatrixOf, into: Float64Array): number => {
      const { a, b, depth } = factors(node, args, from, to, pickA, pickB);
      addDots(a, b, into, start);
      return depth;
    };
    const [first, second] = args as [Value, Value];
    out.error!.fill(0, start, to * out.width);
    out.sum!.magnitude.fill(0, start, to * out.width);
    const depth = add(reach, reach, out.sum!.magnitude);
    if (second.error) add(absolute, errors, out.error!);
    if (first.error) add(errors, reach, out.error!);
    const roundings = depth + rounded(node, out, args, from, to);
    for (let at = start; at < to * out.width; at++) {
      const y = out.data[at]!;
      out.error![at] = y !== y ? 0 : sumError(y, out.error![at]!, roundings, out.sum!.magnitude[at]!);
    }
  };

  /** What a device adds that rounds both sides of a product to whole steps. @returns how many more roundings it makes */
  const rounded = (node: Node, out: Value, args: readonly Value[], from: number, to: number): number => {
    const format = quantized(accuracy, node, args[0]!);
    if (!format || node.op !== "product") return 0;
    const { error, width } = out as Required<Value>;
    const { a: reached, b: W } = factors(node, args, from, to, data, reach);
    addDots(reached, { ...W, data: format.moved.map(Math.abs) }, error, from * width);
    const half = activationError(accuracy);
    const sums = new Float64Array(width);
    format.rounded.forEach((w, i) => (sums[Math.floor(i / W.width)]! += Math.abs(w)));
    largestOf(reached).forEach((most, r) => {
      // A row that isn't finite gives NaN. Where results are tiny, what is lost is multiplied by the row's largest.
      for (let j = 0; j < width; j++)
        error[(from + r) * width + j]! += most === Infinity ? Infinity : most * (half * sums[j]! + tiny);
    });
    return 4;
  };

  return {
    track(node, args, rows) {
      const length = rows * node.width;
      const sum = (depth: number): Sum => ({ depth, magnitude: new Float64Array(length) });
      const [a, b] = args as [Value, Value];
      const error = new Float64Array(length);
      switch (node.op) {
        case "input":
        case "parameter":
          return accuracy.subnormals ? {} : { error };
        case "concat":
        case "slice":
        case "gather":
          return args.some((arg) => arg.error) ? { error } : {};
        case "product":
          return { error, sum: sum(node.transposed ? a.rows : a.width) };
        case "outer":
          return { error, sum: sum(Math.max(a.rows, b.rows)) };
        case "map":
          return node.fn === "plus" && (a.sum ?? b.sum)
            ? { error, sum: sum((a.sum?.depth ?? 1) + (b.sum?.depth ?? 1)) }
            : { error };
        case "constant":
        case "state":
        case "reduce":
        case "scatterAdd":
          return { error };
      }
    },

    finish(node, out, args, from, to) {
      const [first, second] = args as [Value, Value];
      switch (node.op) {
        case "constant":
          out.error![0] = Number.isFinite(node.value) ? Math.abs(node.value - Math.fround(node.value)) : 0;
          break;
        case "input":
        case "parameter":
        case "state":
          break;
        case "map":
          if (picksMaximum(node)) maximum(out, first, from, to);
          else map(node, out, args, from, to);
          break;
        case "product":
        case "outer":
          product(node, out, args, from, to);
          break;
        case "reduce":
          for (let r = from; r < to; r++) out.error![r] = reduction(node.fn, out.data[r]!, first, r);
          break;
        case "concat":
        case "slice":
        case "gather":
          if (out.error) move(node, out.error, args, errors, from, to);
          break;
        case "scatterAdd": {
          const [moved, reached] = [out.error!, new Float64Array(out.data.length)];
          scatterAdd(node, reached, args, reach);
          if (second.error) scatterAdd(node, moved, args, errors);
          out.data.forEach(
            (y, i) => (moved[i] = y !== y ? 0 : sumError(y, moved[i]!, first.rows, reached[i]!)),
          );
          break;
        }
      }
      if (out.error) settle(out as Value & { error: Float64Array }, from, to);
    },
  };

  function reduction(fn: "sum" | "mean" | "max", y: number, of: Value, row: number): number {
    const [start, end] = [row * of.width, (row + 1) * of.width];
    if (y !== y) return 0;
    let [error, magnitude, low, high] = [0, 0, -Infinity, -Infinity];
    for (let i = start; i < end; i++) {
      const [value, e] = [of.data[i]!, of.error?.[i] ?? 0];
      error += e;
      magnitude += Math.abs(value) + e;
      low = Math.max(low, value - e);
      high = Math.max(high, value + e);
    }
    if (fn === "max") return Math.max(high === y ? 0 : high - y, low === y ? 0 : y - low);
    const scale = fn === "mean" ? 1 / of.width : 1;
    const sum = sumError(y / scale, error, of.width, magnitude) * scale;
    return fn === "mean" ? round(y, sum, unit, 0) : sum;
  }

  /** Where a result may overflow or be flushed, its bound says so. NaN bounds come from ∞ − ∞ and mean nothing is known. */
  function settle({ data, error, width }: Value & { error: Float64Array }, from: number, to: number): void {
    for (let i = from * width; i < to * width; i++) {
      const [y, e] = [data[i]!, error[i]!];
      if (e !== e || (Number.isFinite(y) && Math.abs(y) + e > largest)) error[i] = Infinity;
      else if (!accuracy.subnormals && y !== 0 && Math.abs(y) - e < smallest) error[i] = e + smallest;
    }
  }
}

/** Which elements of a row are its maximum: asked by the maximum's gradient. */
const picksMaximum = (node: MapNode): boolean => {
  const [of, maximum] = node.args;
  return node.fn === "equal" && maximum?.op === "reduce" && maximum.fn === "max" && maximum.args[0] === of;
};

/** The maximum is one of the elements, so it moves with it: undecided only where another element comes near. */
function maximum(out: Value, of: Value, from: number, to: number): void {
  const { width } = out;
  for (let r = from; r < to; r++)
    for (let j = 0; j < width; j++) {
      const [value, error] = [of.data[r * width + j]!, of.error?.[r * width + j] ?? 0];
      let [low, high, moves] = [-Infinity, -Infinity, error > 0];
      for (let k = r * width; k < (r + 1) * width; k++) {
        if (k === r * width + j) continue;
        const e = of.error?.[k] ?? 0;
        moves ||= e > 0;
        low = Math.max(low, of.data[k]! - e);
        high = Math.max(high, of.data[k]! + e);
      }
      out.error![r * width + j] = moves && value - error <= high && value + error >= low ? 1 : 0;
    }
}

const none = new WeakMap<Value, Float64Array>();
const errors: MatrixOf = (value) => {
  if (value.error) return value.error;
  let zeros = none.get(value);
  if (!zeros) none.set(value, (zeros = new Float64Array(value.data.length)));
  return zeros;
};
/** Loops fill a value step by step, so these can't be kept; a matrix of parameters is small beside the products. */
const absolute: MatrixOf = (value) => value.data.map(Math.abs);
const reach: MatrixOf = ({ data, error }) =>
  error ? data.map((v, i) => Math.abs(v) + error[i]!) : data.map(Math.abs);
const magnitude = (value: Value, i: number): number =>
  value.sum?.magnitude[i] ?? Math.abs(value.data[i]!) + (value.error?.[i] ?? 0);
