/** Every shipped cell through the whole planner, against the oracle: forward, traced, and its gradient. */
import { describe, expect, it } from "vitest";
import { createModel, gradientSync, mapLimits, recurrent, stack, activation, tanh } from "../src/index.ts";
import { evaluate, gradientGraph, random, type Node } from "../src/internal.ts";
import { cells } from "./support/all-cells.ts";
import { openPlain } from "./support/plain-backend.ts";

const [T, B, I, H] = [5, 3, 4, 6];
const shapes = [{}, { reverse: true }, { layers: 2, bidirectional: true }] as const;
const ragged = [undefined, [5, 3, 0]] as const;
const targets = [
  { projection: "before" },
  { projection: "joined" },
  { projection: "before", limits: { maps: mapLimits({ inputs: 4, outputs: 2 }), rows: 40 } },
] as const;

describe.each(Object.entries(cells))("%s", (_, cell) => {
  const cases = shapes.flatMap((shape) =>
    ragged.flatMap((lengths) => targets.map((target) => ({ shape, lengths, target }))),
  );
  it.each(cases)("$shape lengths $lengths on $target", ({ shape, lengths, target }) => {
    const net = stack(recurrent(cell, { inputSize: I, hiddenSize: H, ...shape }), activation(tanh));
    const backend = openPlain(target);
    const model = createModel(net, backend, { seed: 1 });
    const draw = random(7);
    const tensor = (...size: number[]): { shape: number[]; data: Float32Array } => ({
      shape: size,
      data: Float32Array.from({ length: size.reduce((a, b) => a * b) }, () => draw() * 2 - 1),
    });
    const graph = net.build({ masked: lengths !== undefined });
    const { adjoint, outputs } = gradientGraph(graph);
    const output = graph.outputs.get("output") as Node;
    const [x, dy] = [tensor(T, B, I), tensor(T, B, output.width)];
    const options = lengths ? { lengths } : {};
    const gradients = gradientSync(model, x, { output: dy }, options);
    const run = model.runSync(x, { ...options, trace: true });

    const inputs: Record<string, Float32Array> = { x: x.data, "d.output": dy.data };
    if (lengths)
      inputs["mask"] = Float32Array.from({ length: T * B }, (_n, i) =>
        Math.floor(i / B) < (lengths[i % B] as number) ? 1 : 0,
      );
    const parameters = Object.fromEntries(
      Object.entries(model.parameters()).map(([name, { data }]) => [name, data]),
    );
    const wanted = [...outputs.values(), ...adjoint.parameters.values(), ...graph.traces.values()];
    const found = evaluate(graph, wanted, { steps: T, batch: B, parameters, inputs });
    const close = (got: Float32Array | undefined, node: Node | undefined, what: string): void => {
      const expected = node && found.get(node)?.data;
      expect(got?.length, what).toBe(expected?.length);
      const worst = Math.max(
        ...Array.from(
          got ?? [],
          (v, i) => Math.abs(v - (expected?.[i] as number)) / Math.max(1, Math.abs(expected?.[i] as number)),
        ),
      );
      expect(worst, what).toBeLessThan(1e-5);
    };
    close(run.output.data, output, "output");
    for (const [name, node] of graph.traces) close(run.trace[name]?.data, node, `trace ${name}`);
    close(gradients.output.data, output, "output of the gradient program");
    for (const [parameter, node] of adjoint.parameters)
      close(gradients.parameters[parameter.name]?.data, node, `d.${parameter.name}`);
    close(gradients.input?.data, outputs.get("d.input x"), "d.x");
    model.dispose();
    expect(backend.live()).toBe(0);
  });
});
