// What a right trainer computes: the losses of the first steps, cross-entropy by Adam, in float64 by core's oracle.
import { evaluate, gradientGraph, type Graph, type Node } from "@recurra/core/internal";
import { type Data, LEARNING_RATE, TRAINED_STEPS } from "./data.ts";
import { networkOf } from "./network.ts";
import type { Workload } from "./workloads.ts";

export function trainedLosses(workload: Workload, { parameters, x, classes }: Data): Float64Array {
  const graph = networkOf(workload).build();
  const nodes = nodesOf(graph);
  const values = new Map(
    Object.entries(parameters).map(([name, { data }]) => [name, Float64Array.from(data)]),
  );
  const { T, B } = workload;
  /** The rows of the last step. */
  const last = Float32Array.from({ length: B }, (_, b) => (T - 1) * B + b);
  const adam = adam64();
  return Float64Array.from({ length: TRAINED_STEPS }, () => {
    const run = (wanted: readonly Node[], outputGradient?: Float64Array) =>
      evaluate(graph, wanted, {
        steps: T,
        batch: B,
        parameters: Object.fromEntries(values),
        inputs: { x: x.data, last, ...(outputGradient && { "d.output": outputGradient }) },
      });
    const output = graph.outputs.get("output")!;
    const { loss, gradient } = crossEntropy64(run([output]).get(output)!.data, classes.data);
    const gradients = run([...nodes.values()], gradient);
    adam.next();
    for (const [name, node] of nodes) adam.update(name, values.get(name)!, gradients.get(node)!.data);
    return loss;
  });
}

/** The gradients of the parameters, by the parameters' names. */
const nodesOf = (graph: Graph): Map<string, Node> =>
  new Map([...gradientGraph(graph).adjoint.parameters].map(([{ name }, node]) => [name, node]));

/** The mean of −log softmax(z)[class] over the rows, and its gradient. */
function crossEntropy64(z: Float64Array, classes: Int32Array): { loss: number; gradient: Float64Array } {
  const width = z.length / classes.length;
  const gradient = new Float64Array(z.length);
  let loss = 0;
  classes.forEach((wanted, row) => {
    const start = row * width;
    const logits = z.subarray(start, start + width);
    const largest = logits.reduce((a, b) => Math.max(a, b));
    const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0);
    loss += (Math.log(sum) + largest - logits[wanted]!) / classes.length;
    logits.forEach((value, k) => {
      gradient[start + k] = (Math.exp(value - largest) / sum - (k === wanted ? 1 : 0)) / classes.length;
    });
  });
  return { loss, gradient };
}

/** Kingma & Ba 2015, algorithm 1. */
function adam64() {
  const moments = new Map<string, { m: Float64Array; v: Float64Array }>();
  let step = 0;
  return {
    next: () => void step++,
    update(name: string, values: Float64Array, gradient: Float64Array) {
      const size = values.length;
      const { m, v } = moments.get(name) ?? { m: new Float64Array(size), v: new Float64Array(size) };
      moments.set(name, { m, v });
      for (let k = 0; k < size; k++) {
        m[k] = 0.9 * m[k]! + 0.1 * gradient[k]!;
        v[k] = 0.999 * v[k]! + 0.001 * gradient[k]! ** 2;
        const root = Math.sqrt(v[k]! / (1 - 0.999 ** step));
        values[k]! -= (LEARNING_RATE * m[k]!) / (1 - 0.9 ** step) / (root + 1e-8);
      }
    },
  };
}
