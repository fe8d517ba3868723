/** Layer normalisation on expressions, against its definition. */
import { expect, test } from "vitest";
import { concat } from "../src/expr.ts";
import { layerNorm, layerNormTogether } from "../src/layer-norm.ts";
import { network, type Network } from "../src/network.ts";
import { evaluate } from "../src/oracle.ts";

const rows = [
  [1, 2, 4, -3, 0.5],
  [7, 7, 7, 7, 7],
  [1e4, -1e4, 0, 1, 2],
];
const [first, second] = [rows.map((row) => row.slice(0, 2)), rows.map((row) => row.slice(2))];

function run(net: Network, inputs: Readonly<Record<string, number[][]>>): number[] {
  const graph = net.build();
  const output = graph.outputs.get("output")!;
  const flat = Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, values.flat()]));
  return [...evaluate(graph, [output], { steps: 1, batch: rows.length, inputs: flat }).get(output)!.data];
}

const expected = rows.flatMap((row) => {
  const mean = row.reduce((sum, v) => sum + v, 0) / row.length;
  const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
  return row.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
});

function near(got: readonly number[]): void {
  expect(got.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 12);
}

test("a row has mean 0 and variance 1; one of equal values is 0", () => {
  near(
    run(
      network({ x: 5 }, ({ x }) => layerNorm(x)),
      { x: rows },
    ),
  );
});

test("parts taken together are normalised as one row", () => {
  const net = network({ a: 2, b: 3 }, ({ a, b }) => {
    const parts = layerNormTogether({ a, b });
    return concat(parts.a, parts.b);
  });
  near(run(net, { a: first, b: second }));
});
