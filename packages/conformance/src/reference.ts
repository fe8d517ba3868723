/** What a kernel means: the same operation as a graph, for the oracle. */
import {
  bounded, evaluate, gather, Graph, outer, reduce, scatterAdd, type Accuracy, type Kernel, type Node,
} from "@recurra/core/internal"; // prettier-ignore
import type { Judged } from "./law.ts";

/** What a kernel reads: rows and columns as stored, 1 where they are repeated. */
export interface Given {
  readonly rows: number;
  readonly width: number;
  readonly data: Float32Array;
}

const unused = (): Float32Array => new Float32Array(0);

/** The outputs of a kernel, bounded for a backend's accuracy; [rows, width] each. */
export function expectedOf(
  kernel: Kernel,
  rows: number,
  given: readonly Given[],
  accuracy: Accuracy,
  tableRows = 0,
): Required<Judged>[] {
  // One by one, kernels are in float32.
  const { quantized: _, ...float32 } = accuracy;
  const graph = new Graph();
  const inputs: Record<string, Float32Array> = {};
  const parameters: Record<string, Float32Array> = {};
  const sequence = (i: number): Node => {
    const { width, data, rows: stored } = given[i]!;
    if (stored === 1 && rows !== 1) return matrix(i);
    inputs[`i${i}`] = data;
    return graph.input(`i${i}`, width, "sequence");
  };
  const matrix = (i: number): Node => {
    const { rows: r, width, data } = given[i]!;
    parameters[`p${i}`] = data;
    return graph.parameter(`p${i}`, `p${i}`, [r, width], unused);
  };

  let results: readonly Node[];
  let shape = { rows, width: "width" in kernel ? kernel.width : 1 };
  switch (kernel.op) {
    case "map": {
      const found: Node[] = [];
      const known = given.map((_, i) => sequence(i));
      for (const { fn, args } of kernel.instructions)
        found.push(
          graph.map(
            fn,
            ...args.map((a) =>
              "input" in a ? known[a.input]! : "result" in a ? found[a.result]! : graph.constant(a.constant),
            ),
          ),
        );
      results = kernel.outputs.map((i) => found[i]!);
      break;
    }
    case "gemm": {
      const overRows = kernel.rows !== "rows";
      if (overRows) shape = { rows: kernel.rows, width: kernel.width };
      const terms = kernel.terms.map(({ a, b, transposeB }) =>
        overRows
          ? outer(graph, sequence(a), sequence(b))
          : graph.product(matrix(b), sequence(a), !transposeB),
      );
      const addend = kernel.addend ? (overRows ? matrix(0) : sequence(0)) : undefined;
      results = [[...(addend ? [addend] : []), ...terms].reduce((sum, term) => graph.map("plus", sum, term))];
      break;
    }
    case "reduce":
      shape = { rows, width: 1 };
      results = [reduce(graph, kernel.fn, sequence(0))];
      break;
    case "gather":
      results = [gather(graph, matrix(0), sequence(1))];
      break;
    case "scatterAdd": {
      shape = { rows: tableRows, width: kernel.width };
      const like = graph.parameter("table", "table", [tableRows, kernel.width], unused);
      results = [scatterAdd(graph, like, sequence(0), sequence(1))];
      break;
    }
  }
  const found = evaluate(graph, results, { steps: 1, batch: rows, inputs, parameters }, bounded(float32));
  return results.map((node) => {
    const value = found.get(node)!;
    const whole = (values: ArrayLike<number> | undefined): Float64Array =>
      Float64Array.from({ length: shape.rows * shape.width }, (_, i) => {
        const [r, j] = [Math.floor(i / shape.width), i % shape.width];
        return values?.[(value.rows === 1 ? 0 : r) * value.width + (value.width === 1 ? 0 : j)] ?? 0;
      });
    return { data: whole(value.data), error: whole(value.error) };
  });
}
