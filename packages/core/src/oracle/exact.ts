/** What each operation of the graph means in float64, for some rows of its result at a time. */
import { fail } from "../errors.ts";
import type {
  ConcatNode,
  GatherNode,
  Node,
  OuterNode,
  ProductNode,
  ReduceNode,
  ScatterAddNode,
  SliceNode,
} from "../graph.ts";
import { values } from "../functions.ts";
import { addDots, transpose, type Rows } from "./dots.ts";
import type { Value } from "./value.ts";

/** The matrices whose rows a sum of products multiplies, and the number of its terms. */
export interface Factors {
  readonly a: Rows;
  readonly b: Rows;
  readonly depth: number;
}

/** A matrix of a node's values: the data, or the errors. */
export type MatrixOf = (value: Value) => Float64Array;
export const data: MatrixOf = (value) => value.data;

const transposed = new WeakMap<Float64Array, Float64Array>();

/** Every step multiplies by the same Uᵀ; it is turned once. */
function turned(matrix: Float64Array, rows: number, width: number): Float64Array {
  let found = transposed.get(matrix);
  if (!found) transposed.set(matrix, (found = transpose(matrix, rows, width)));
  return found;
}

/** A product's rows `from` to `to`, or the whole of an outer product, as dot products of the rows of two matrices. */
export function factors(
  node: ProductNode | OuterNode,
  args: readonly Value[],
  from: number,
  to: number,
  pickA = data,
  pickB = data,
): Factors {
  const [first, second] = args as [Value, Value];
  if (node.op === "product") {
    const [depth, width] = node.transposed ? [first.rows, first.width] : [first.width, first.rows];
    const matrix = node.transposed ? turned(pickA(first), first.rows, first.width) : pickA(first);
    return {
      a: { data: pickB(second), width: depth, from, to },
      b: { data: matrix, width: depth, from: 0, to: width },
      depth,
    };
  }
  const [a, b] = node.args as [Node, Node];
  const depth =
    a.domain === b.domain ? Math.max(first.rows, second.rows) : a.domain === "one" ? second.rows : first.rows;
  const columns = (value: Value, matrix: Float64Array): Rows => {
    const repeated = value.rows === 1 && depth !== 1;
    const flat = repeated
      ? Float64Array.from({ length: depth * value.width }, (_, i) => matrix[i % value.width]!)
      : matrix;
    return { data: transpose(flat, depth, value.width), width: depth, from: 0, to: value.width };
  };
  return { a: columns(first, pickA(first)), b: columns(second, pickB(second)), depth };
}

/** Where rows and columns of an operand lie; a single row or column is repeated. */
export interface Stride {
  readonly row: number;
  readonly column: 0 | 1;
}
export const stride = (value: Value, width: number): Stride => ({
  row: value.rows === 1 ? 0 : value.width,
  column: value.width === 1 && width !== 1 ? 0 : 1,
});

/** Compute rows `from` to `to` of a node from its arguments; an outer product and a scatterAdd only as a whole. */
export function compute(node: Node, out: Value, args: readonly Value[], from: number, to: number): void {
  switch (node.op) {
    case "input":
    case "parameter":
    case "constant":
    case "state":
      return fail("INTERNAL", `oracle: ${node.op} isn't computed`);
    case "map": {
      const [a, b, c] = [args[0]!, args[1] ?? args[0]!, args[2] ?? args[0]!];
      const [sa, sb, sc] = [stride(a, out.width), stride(b, out.width), stride(c, out.width)];
      const fn = values[node.fn];
      for (let r = from; r < to; r++)
        for (let j = 0; j < out.width; j++)
          out.data[r * out.width + j] = fn(
            a.data[r * sa.row + j * sa.column]!,
            b.data[r * sb.row + j * sb.column]!,
            c.data[r * sc.row + j * sc.column]!,
          );
      return;
    }
    case "product":
    case "outer": {
      const { a, b } = factors(node, args, from, to);
      out.data.fill(0, from * out.width, to * out.width);
      addDots(a, b, out.data, from * out.width);
      return;
    }
    case "reduce":
      return reduce(node, out.data, args[0]!, from, to);
    case "concat":
    case "slice":
    case "gather":
      return move(node, out.data, args, data, from, to);
    case "scatterAdd":
      return scatterAdd(node, out.data, args, data);
  }
}

function reduce(node: ReduceNode, out: Float64Array, { data, width }: Value, from: number, to: number): void {
  for (let r = from; r < to; r++) {
    let result = node.fn === "max" ? -Infinity : 0;
    for (let j = 0; j < width; j++) {
      const value = data[r * width + j]!;
      result = node.fn === "max" ? values.max(result, value, 0) : result + value;
    }
    out[r] = node.fn === "mean" ? result / width : result;
  }
}

/** The operations that only move values; errors move with them. */
export function move(
  node: ConcatNode | SliceNode | GatherNode,
  out: Float64Array,
  args: readonly Value[],
  pick: MatrixOf,
  from: number,
  to: number,
): void {
  const { width } = node;
  const [first, second] = args as [Value, Value];
  for (let r = from; r < to; r++) {
    if (node.op === "slice") {
      const start = r * first.width + node.start;
      out.set(pick(first).subarray(start, start + width), r * width);
    } else if (node.op === "gather") {
      const row = second.data[r]!;
      if (row < 0) out.fill(0, r * width, (r + 1) * width);
      else out.set(pick(first).subarray(row * width, (row + 1) * width), r * width);
    } else {
      let column = 0;
      for (const part of args) {
        out.set(pick(part).subarray(r * part.width, (r + 1) * part.width), r * width + column);
        column += part.width;
      }
    }
  }
}

/** Sums rows by index. */
export function scatterAdd(
  node: ScatterAddNode,
  out: Float64Array,
  args: readonly Value[],
  pick: MatrixOf,
): void {
  const { width } = node;
  const [index, added] = args as [Value, Value];
  out.fill(0);
  for (let r = 0; r < index.rows; r++) {
    const row = index.data[r]!;
    if (row < 0) continue;
    for (let j = 0; j < width; j++) out[row * width + j]! += pick(added)[r * width + j]!;
  }
}
