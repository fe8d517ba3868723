/** Runs a network of one output in the oracle: float64, straight from the equations. */
import { evaluate, finalState } from "@recurra/core/internal";
import type { Run, RunResult } from "./call.ts";

export function runOracle({ network, parameters, x, state, lengths }: Run): RunResult {
  const graph = network.build({ masked: lengths !== undefined });
  const [steps, batch] = x.shape as [number, number];
  const mask = Array.from({ length: steps * batch }, (_, i) => {
    const length = lengths?.[i % batch] ?? steps;
    return Math.floor(i / batch) < length ? 1 : 0;
  });
  const inputs = { steps, batch, parameters, inputs: { x: x.data, mask }, states: state };
  const output = graph.outputs.get("output")!;
  const values = evaluate(graph, [output, ...graph.next.values()], inputs);
  return {
    output: values.get(output)!.data,
    state: Object.fromEntries(
      [...graph.states].map(([name, node]) => [name, finalState(graph, node, values, inputs).data]),
    ),
  };
}
