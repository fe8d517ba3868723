/**
 * Random cells: gates with products on the input and on states, pointwise functions, row reductions, normalisation, several
 * states of different widths; weights that are used twice, states that are only passed on, values that are traced. A cell is
 * drawn as a recipe, plain data, so that a failing one can be made smaller and printed.
 */
import {
  abs,
  cell,
  clamp,
  concat,
  exp,
  less,
  lessEqual,
  log,
  matrix,
  max,
  min,
  neg,
  reciprocal,
  relu,
  rowMax,
  rowMean,
  rowSum,
  rsqrt,
  select,
  sigmoid,
  softplus,
  sqrt,
  tanh,
  vector,
  layerNorm,
  type Cell,
  type Expr,
  type Matrix,
  type WeightSpec,
} from "@recurra/core";
import type { Draw } from "./draw.ts";

/** How a value follows from values before it. Composed so that no pole comes near and nothing overflows. */
const unary = {
  tanh,
  sigmoid,
  relu,
  softplus,
  abs,
  neg,
  exp: (v: Expr) => exp(min(v, 1)),
  log: (v: Expr) => log(softplus(v).plus(0.5)),
  sqrt: (v: Expr) => sqrt(abs(v).plus(0.25)),
  rsqrt: (v: Expr) => rsqrt(v.times(v).plus(0.5)),
  reciprocal: (v: Expr) => reciprocal(abs(v).plus(1)),
  clamp: (v: Expr) => clamp(v, -0.6, 0.7),
  half: (v: Expr) => v.times(0.5).plus(0.1),
} as const;
const binary = {
  plus: (a: Expr, b: Expr) => a.plus(b),
  minus: (a: Expr, b: Expr) => a.minus(b),
  times: (a: Expr, b: Expr) => tanh(a).times(b),
  over: (a: Expr, b: Expr) => a.over(abs(b).plus(1)),
  max,
  min,
  less: (a: Expr, b: Expr) => select(less(a, b), a, b.times(0.5)),
  lessEqual: (a: Expr, b: Expr) => select(lessEqual(a, 0.3), b, a),
  /** Of values that differ in a row: of equal ones it would only show rounding. */
  layerNorm: (a: Expr, b: Expr) => layerNorm(a.plus(b)),
} as const;
const reductions = { rowSum: (v: Expr) => rowSum(v).times(0.1), rowMean, rowMax } as const;

type Unary = keyof typeof unary;
type Binary = keyof typeof binary;
type Reduction = keyof typeof reductions;

/**
 * Values are numbered: 0 is the first state, then the other states, then one for each instruction. All are H wide, or 1. Weights have
 * numbers too, so that two instructions may use the same ones.
 */
export type Instruction =
  /** W·x + M·of, or W·x alone, with a bias added so many times. */
  | {
      readonly op: "gate" | "input";
      readonly of: number;
      readonly weights: number;
      readonly bias: number;
      readonly biases: number;
    }
  | { readonly op: "product" | "vector" | "bias"; readonly of: number; readonly weights: number }
  | { readonly op: Unary | Reduction; readonly of: number }
  | { readonly op: Binary; readonly of: number; readonly and: number }
  /** A matrix [H, 2 H] on two values behind each other. */
  | { readonly op: "concat"; readonly of: number; readonly and: number; readonly weights: number };

/** How a state takes its next value in: bounded, mixed by a gate with what it was, or as it is (see `bounded`). */
type Taken = "tanh" | "mixed" | "raw";

export interface Recipe {
  readonly states: number;
  /** The last state has a width of its own, and its next value is a product. */
  readonly narrow: boolean;
  readonly instructions: readonly Instruction[];
  /** For each state, what goes into its next value. */
  readonly next: readonly number[];
  readonly taken: readonly Taken[];
  /** The output, where it isn't h. */
  readonly y: number | undefined;
  /** What is returned to be traced. */
  readonly traced: readonly number[];
}

/** Whether a value can't grow from step to step: a state may become it as it is. */
const bounded = ({ states, instructions }: Pick<Recipe, "states" | "instructions">, v: number): boolean =>
  v < states || ["tanh", "sigmoid", "clamp", "input", "bias"].includes(instructions[v - states]!.op);

const isIn = <T extends object>(table: T, key: string): key is Extract<keyof T, string> =>
  Object.hasOwn(table, key);

export function drawRecipe(draw: Draw): Recipe {
  const states = draw.pick([1, 1, 2, 3]);
  const instructions: Instruction[] = [];
  const any = (): number => {
    const count = states + instructions.length;
    return draw.chance(0.6) ? count - 1 - draw.below(Math.min(3, count)) : draw.below(count);
  };
  /** Those of an instruction before it, now and then. */
  const weights = (): number => {
    const own = instructions.length;
    return own > 0 && draw.chance(0.2) ? draw.below(own) : own;
  };
  const gates = draw.whole(1, 3);
  for (let i = 0; i < gates; i++) {
    instructions.push({
      op: draw.chance(0.85) ? "gate" : "input",
      of: draw.chance(0.7) ? draw.below(states) : any(),
      weights: weights(),
      bias: weights(),
      biases: draw.pick([0, 1, 1, 2]),
    });
    instructions.push({
      op: draw.pick(["tanh", "sigmoid", "sigmoid", "relu", "softplus", "clamp"]),
      of: any(),
    });
  }
  const more = draw.whole(1, 7);
  for (let i = 0; i < more; i++) {
    const kind = draw.unit();
    if (kind < 0.35) instructions.push({ op: draw.pick(Object.keys(unary) as Unary[]), of: any() });
    else if (kind < 0.7)
      instructions.push({ op: draw.pick(Object.keys(binary) as Binary[]), of: any(), and: any() });
    else if (kind < 0.78)
      instructions.push({ op: draw.pick(Object.keys(reductions) as Reduction[]), of: any() });
    else if (kind < 0.88) instructions.push({ op: "product", of: any(), weights: weights() });
    else if (kind < 0.92) instructions.push({ op: "concat", of: any(), and: any(), weights: weights() });
    else instructions.push({ op: draw.pick(["vector", "bias"]), of: any(), weights: weights() });
  }
  const next = Array.from({ length: states }, any);
  return {
    states,
    narrow: states > 1 && draw.chance(0.4),
    instructions,
    next,
    taken: next.map((v) =>
      draw.chance(0.5) ? "mixed" : draw.chance(0.4) && bounded({ states, instructions }, v) ? "raw" : "tanh",
    ),
    y: draw.chance(0.3) ? any() : undefined,
    traced: draw.chance(0.3) ? [any(), any()] : [],
  };
}

const stateName = (i: number): string => (i === 0 ? "h" : `s${i}`);

export function cellOf(recipe: Recipe, H: number): Cell {
  const { states, narrow, instructions, next, taken, y, traced } = recipe;
  const last = states - 1;
  const narrowWidth = Math.max(1, Math.ceil(H / 2));
  const gates = new Set<string>();
  const biases = new Set<string>();
  const weights: Record<string, WeightSpec<unknown>> = {
    mix: vector("H"),
    mixNarrow: vector(narrowWidth),
    Out: matrix(narrowWidth, "H"),
    In: matrix("H", narrowWidth),
  };
  for (const instruction of instructions) {
    if (!("weights" in instruction)) continue;
    const { op, weights: own } = instruction;
    if (op === "product" || op === "gate") weights[`M${own}`] = matrix("H", "H");
    if (op === "concat") weights[`C${own}`] = matrix("H", 2 * H);
    if (op === "vector" || op === "bias") weights[`v${own}`] = vector("H");
    if (op !== "gate" && op !== "input") continue;
    gates.add(`g${own}`);
    if (instruction.biases > 0) biases.add(`g${instruction.bias}`);
  }
  const declared = Object.fromEntries(
    Array.from({ length: states }, (_, i) => [
      stateName(i),
      narrow && i === last ? { width: narrowWidth } : {},
    ]),
  );
  return cell({
    name: "random",
    state: declared as Record<"h", object>,
    W: [...gates],
    b: [...biases],
    weights,
    step(given) {
      const known = given as unknown as Record<string, Expr & Matrix> & {
        W: Record<string, Matrix>;
        b: Record<string, Expr>;
      };
      const { x, W, b } = known;
      const ones = known["mix"]!.times(0).plus(1);
      const before = Array.from({ length: states }, (_, i) => known[stateName(i)]!);
      const values: Expr[] = before.map((s, i) => (narrow && i === last ? known["In"]!.dot(s) : s));
      const wide = (v: Expr): Expr => (v.width === 1 && H !== 1 ? v.times(ones) : v);
      instructions.forEach((instruction, i) => {
        const { op } = instruction;
        const of = values[instruction.of]!;
        const weight = (kind: string): Expr & Matrix =>
          known[`${kind}${"weights" in instruction ? instruction.weights : i}`]!;
        if (op === "gate" || op === "input") {
          const product = W[`g${instruction.weights}`]!.dot(x!);
          const sum = op === "gate" ? product.plus(weight("M").dot(wide(of))) : product;
          const { bias, biases: count } = instruction;
          const added = count > 0 ? Array<Expr>(count).fill(b[`g${bias}`]!) : [];
          return void values.push(sum.plus(...added));
        }
        if (op === "vector") return void values.push(weight("v").times(of));
        if (op === "bias") return void values.push(weight("v"));
        if (op === "product") return void values.push(weight("M").dot(wide(of)));
        if (op === "concat") {
          const [a, other] = [wide(of), wide(values[instruction.and] ?? before[0]!)];
          // A parameter's row beside rows of a sequence is refused.
          return void values.push(
            weight("C").dot(concat(a, a.node.domain === other.node.domain ? other : a)),
          );
        }
        if (isIn(unary, op)) return void values.push(unary[op](of));
        if (isIn(reductions, op)) return void values.push(reductions[op](of));
        const and = "and" in instruction ? instruction.and : 0;
        values.push(binary[op](of, values[op === "layerNorm" ? states : and] ?? before[0]!));
      });
      const result = before.map((s, i) => {
        const isNarrow = narrow && i === last;
        const value = isNarrow ? known["Out"]!.dot(wide(values[next[i]!]!)) : wide(values[next[i]!]!);
        const z = sigmoid(known[isNarrow ? "mixNarrow" : "mix"]!);
        // Bounded, so that a hundred steps stay where a few are.
        const kept = {
          raw: value,
          tanh: tanh(value),
          mixed: z.times(s).plus(z.times(-1).plus(1).times(tanh(value))),
        };
        return [stateName(i), kept[taken[i]!]] as const;
      });
      return {
        ...Object.fromEntries(result),
        ...(y !== undefined && { y: wide(values[y]!) }),
        ...Object.fromEntries(traced.map((v, i) => [`t${i}`, values[v]!])),
      } as {
        h: Expr;
      };
    },
  });
}

/** Recipes that are smaller by one thing each. */
export function* smaller(recipe: Recipe): Generator<Recipe> {
  const { states, instructions, next, taken, y, narrow, traced } = recipe;
  if (traced.length > 0) yield { ...recipe, traced: traced.slice(1) };
  if (y !== undefined) yield { ...recipe, y: undefined };
  if (narrow) yield { ...recipe, narrow: false };
  for (let i = instructions.length - 1; i >= 0; i--) {
    const gone = states + i;
    const instruction = instructions[i]!;
    const stands = instruction.of;
    const moved = (v: number): number => (v === gone ? stands : v > gone ? v - 1 : v);
    const rest = instructions.flatMap((other, j): Instruction[] => {
      if (j === i) return [];
      return [
        "and" in other
          ? { ...other, of: moved(other.of), and: moved(other.and) }
          : { ...other, of: moved(other.of) },
      ];
    });
    const less = { states, instructions: rest };
    const then = next.map(moved);
    yield {
      ...recipe,
      ...less,
      next: then,
      taken: taken.map((how, s) => (how === "raw" && !bounded(less, then[s]!) ? "tanh" : how)),
      y: y === undefined ? undefined : moved(y),
      traced: traced.map(moved),
    };
  }
  for (let i = 0; i < states; i++)
    if (taken[i] !== "tanh") yield { ...recipe, taken: taken.map((how, j) => (j === i ? "tanh" : how)) };
}

/** The recipe as equations. */
export function print({ states, narrow, instructions, next, taken, y, traced }: Recipe): string {
  const name = (v: number): string => (v < states ? stateName(v) : `v${v - states}`);
  const lines = instructions.map((instruction, i) => {
    const { op, of } = instruction;
    const own = "weights" in instruction ? instruction.weights : i;
    const right =
      op === "vector" ? `p${own}∘${name(of)}`
      : op === "bias" ? `p${own}`
      : op === "gate" || op === "input" ? `W${own}·x${op === "gate" ? ` + M${own}·${name(of)}` : ""}${` + b${instruction.bias}`.repeat(instruction.biases)}`
      : op === "product" ? `M${own}·${name(of)}`
      : op === "concat" ? `C${own}·[${name(of)}, ${name(instruction.and)}]`
      : "and" in instruction ? `${op}(${name(instruction.of)}, ${name(instruction.and)})`
      : `${op}(${name(instruction.of)})`; // prettier-ignore
    return `v${i} = ${right}`;
  });
  const carried = next.map(
    (v, i) =>
      `${stateName(i)} ← ${{ mixed: "mix tanh", tanh: "tanh", raw: "" }[taken[i]!]}(${name(v)})${narrow && i === states - 1 ? ", narrow" : ""}`,
  );
  return [
    ...lines,
    ...carried,
    ...(y === undefined ? [] : [`y = ${name(y)}`]),
    ...(traced.length > 0 ? [`traced ${traced.map(name).join(", ")}`] : []),
  ].join("; ");
}
