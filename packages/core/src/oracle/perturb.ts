/**
 * Float64 in which every operation is off by as much as a device of a declared accuracy may be. How far such runs end up from
 * the unperturbed one says how far a device may end up, at any length of sequence, where worst-case bounds explode.
 */
import type { Accuracy } from "../backend.ts";
import { fail } from "../errors.ts";
import type { Graph, MapNode, Node } from "../graph.ts";
import { underflow, worstError } from "./bounds.ts";
import { addDots, addSquares } from "./dots.ts";
import { evaluate } from "./evaluate.ts";
import { factors, scatterAdd, stride } from "./exact.ts";
import { activationError, largestOf, quantized } from "./quantize.ts";
import type { Arithmetic, OracleInputs, Value } from "./value.ts";

/** The likely rounding error of each sum of products: roundings of partial sums are random, so their squares add. */
type Roundings = Map<Node, Float64Array>;

/** Uniform in [−1, 1). Mulberry32 by Tommy Ettinger. */
export function noise(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) / 2147483648;
  };
}

/** Plain float64 that notes, on its way, how large the roundings of sums are. */
function measured(accuracy: Accuracy, roundings: Roundings): Arithmetic {
  const { accumulate, unit } = accuracy;
  const of = (node: Node, value: Value): Float64Array => {
    let found = roundings.get(node);
    if (!found) roundings.set(node, (found = new Float64Array(value.data.length)));
    return found;
  };
  const store = (into: Float64Array, { data, width }: Value, from: number, to: number): void => {
    // √3 · the deviation of a uniform number is its bound.
    for (let i = from * width; i < to * width; i++)
      into[i] = accumulate * Math.sqrt(into[i]!) + unit * Math.abs(data[i]!);
  };
  return {
    finish(node, value, args, from, to) {
      if (node.op === "product" || node.op === "outer") {
        const { a, b } = factors(node, args, from, to);
        addSquares(a, b, of(node, value), from * value.width);
      } else if (node.op === "reduce" && node.fn !== "max") {
        const [{ data, width }] = args as [Value];
        for (let r = from; r < to; r++) {
          let [sum, squares] = [0, 0];
          for (let j = 0; j < width; j++) squares += (sum += data[r * width + j]!) ** 2;
          of(node, value)[r] = node.fn === "mean" ? squares / width ** 2 : squares;
        }
      } else if (node.op === "scatterAdd") {
        // Few rows meet in one; each partial sum is at most the sum of what there is.
        scatterAdd(node, of(node, value), args, ({ data }) => data.map((v) => v * v));
      } else return;
      store(of(node, value), value, from, to);
      addSteps(accuracy, node, of(node, value), value, args, from, to);
    },
  };
}

/** What comes of rounding a row to whole steps: each of its numbers moves on its own, so that their squares add. */
function addSteps(
  accuracy: Accuracy,
  node: Node,
  into: Float64Array,
  { width }: Value,
  args: readonly Value[],
  from: number,
  to: number,
): void {
  const format = quantized(accuracy, node, args[0]!);
  if (!format || node.op !== "product") return;
  const { a, b } = factors(node, args, from, to);
  const squares = new Float64Array(width);
  format.rounded.forEach((w, i) => (squares[Math.floor(i / b.width)]! += w * w));
  const half = activationError(accuracy) / Math.sqrt(3);
  largestOf(a).forEach((most, r) => {
    for (let j = 0; j < width; j++) into[(from + r) * width + j]! += half * most * Math.sqrt(squares[j]!);
  });
}

/**
 * @param systematic a function's error is a fixed share of its worst, as an approximation's may be, instead of drawn each time
 */
function perturbed(accuracy: Accuracy, roundings: Roundings, seed: number, systematic: boolean): Arithmetic {
  const random = noise(seed);
  const tiny = underflow(accuracy);
  const shares = new Map<Node, number>();
  const share = (node: Node): number => {
    if (!shares.has(node)) shares.set(node, random() < 0 ? -1 : 1);
    return shares.get(node)!;
  };

  const map = (
    node: MapNode,
    { data, width }: Value,
    args: readonly Value[],
    from: number,
    to: number,
  ): void => {
    const { relative, absolute } = worstError(accuracy, node.fn);
    const biased = systematic && accuracy.functions[node.fn] ? share(node) : undefined;
    if (relative > 0 || absolute > 0)
      for (let i = from * width; i < to * width; i++)
        if (data[i] !== 0 && Number.isFinite(data[i]))
          data[i]! += (biased ?? random()) * (relative * Math.abs(data[i]!) + absolute + tiny) || 0;
    if (node.fn === "plus") joined(node, { data, width, rows: to }, args, from, to);
  };

  /** What is added to a sum of products may be in its accumulator from the beginning, and be rounded with every term. */
  const joined = (
    node: MapNode,
    { data, width }: Value,
    args: readonly Value[],
    from: number,
    to: number,
  ): void => {
    node.args.forEach((arg, i) => {
      if (arg.op !== "product" && arg.op !== "outer") return;
      const depth = arg.op === "product" ? arg.args[1]!.width : Math.max(...arg.args.map((a) => a.rows));
      const other = args[1 - i]!;
      const s = stride(other, width);
      for (let r = from; r < to; r++)
        for (let j = 0; j < width; j++)
          data[r * width + j]! +=
            random() *
              accuracy.accumulate *
              Math.sqrt(depth) *
              Math.abs(other.data[r * s.row + j * s.column]!) || 0;
    });
  };

  return {
    finish(node, value, args, from, to) {
      const { data, width } = value;
      if (node.op === "map") return map(node, value, args, from, to);
      if (node.op === "constant" && Number.isFinite(node.value))
        data[0]! += random() * (Math.fround(node.value) - node.value);
      // Weights are off by the same at every step and in every run.
      const format = node.op === "product" && quantized(accuracy, node, args[0]!);
      if (format && node.op === "product") {
        const { a, b } = factors(node, args, from, to);
        addDots(a, { ...b, data: format.moved }, data, from * width);
      }
      const sizes = roundings.get(node);
      if (sizes)
        for (let i = from * width; i < to * width; i++)
          data[i]! += random() * (sizes[i]! * Math.sqrt(3) + (data[i] === 0 ? 0 : tiny)) || 0;
    },
  };
}

export interface EndToEnd {
  readonly expected: Float64Array;
  /** A device may be off by tolerance · max(1, |expected|). */
  readonly tolerance: number;
}

const runs = 8;
const factor = 4;

/**
 * What a device of this accuracy should give for a whole sequence, and how far it may be off: `factor` times the largest
 * deviation among eight perturbed runs, of any element.
 * @returns undefined where a comparison (of a relu's gradient, say) lies within that distance of its threshold: either side is right
 */
export function endToEnd(
  graph: Graph,
  wanted: readonly Node[],
  inputs: OracleInputs,
  accuracy: Accuracy,
  seed = 0,
): ReadonlyMap<Node, EndToEnd> | undefined {
  const decisions = [...reachable(graph, wanted)].filter(
    (node) => node.op === "map" && comparisons.has(node.fn),
  );
  const all = [...new Set([...wanted, ...decisions.flatMap((node) => node.args)])];

  const roundings: Roundings = new Map();
  const exact = evaluate(graph, all, inputs, measured(accuracy, roundings));
  const tolerances = new Map(wanted.map((node) => [node, 0]));
  const margins = decisions.map((node) => new Margin(difference(node, exact)));
  for (let run = 0; run < runs; run++) {
    const off = evaluate(
      graph,
      all,
      inputs,
      perturbed(accuracy, roundings, seed * runs + run, run % 2 === 1),
    );
    for (const node of wanted)
      tolerances.set(
        node,
        Math.max(tolerances.get(node)!, factor * deviation(exact.get(node)!.data, off.get(node)!.data)),
      );
    decisions.forEach((node, i) => margins[i]!.see(difference(node, off)));
  }
  if (margins.some((margin) => margin.undecided())) return undefined;
  return new Map(
    wanted.map((node) => [node, { expected: exact.get(node)!.data, tolerance: tolerances.get(node)! }]),
  );
}

/** The largest, relative to what is above 1. */
function deviation(exact: Float64Array, off: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < exact.length; i++) {
    if (Object.is(off[i], exact[i])) continue;
    const distance = Math.abs(off[i]! - exact[i]!) / Math.max(1, Math.abs(exact[i]!));
    if (!(distance <= worst)) worst = distance === distance ? distance : Infinity;
  }
  return worst;
}

const comparisons: ReadonlySet<string> = new Set(["less", "lessEqual", "equal"]);

/** How far the two sides of a comparison are apart, element by element. */
function difference(node: Node, values: ReadonlyMap<Node, Value>): Float64Array {
  const [a, b] = node.args.map((arg) => values.get(arg)!) as [Value, Value];
  const [sa, sb] = [stride(a, node.width), stride(b, node.width)];
  return Float64Array.from({ length: Math.max(a.rows, b.rows) * node.width }, (_, i) => {
    const [r, j] = [Math.floor(i / node.width), i % node.width];
    return a.data[r * sa.row + j * sa.column]! - b.data[r * sb.row + j * sb.column]!;
  });
}

/** Whether a device could decide otherwise. Sides that never move against each other (a maximum and itself) are decided. */
class Margin {
  readonly #moved: Float64Array;
  constructor(readonly exact: Float64Array) {
    this.#moved = new Float64Array(exact.length);
  }
  see(off: Float64Array): void {
    this.exact.forEach((d, i) => {
      const moved = Math.abs(off[i]! - d);
      if (moved > this.#moved[i]!) this.#moved[i] = moved;
    });
  }
  undecided(): boolean {
    const near = factor * this.#moved.reduce((worst, moved) => Math.max(worst, moved), 0);
    return this.exact.some((d, i) => this.#moved[i]! > 0 && Math.abs(d) <= near);
  }
}

function reachable(graph: Graph, from: readonly Node[]): Set<Node> {
  const found = new Set(from);
  // A Set's iteration goes on to what is added meanwhile.
  for (const node of found) {
    for (const arg of node.args) found.add(arg);
    if (node.op === "state")
      found.add(graph.next.get(node) ?? fail("INTERNAL", `oracle: state ${node.name} is never carried`));
  }
  return found;
}
