/** Every shipped cell through the whole planner, against the oracle: forward, traced, and its gradient. */
import { describe, expect, it } from "vitest";
import { createModel, gradientSync, mapLimits, recurrent, stack, activation, tanh } from "../src/index.ts";
import { cells } from "./support/all-cells.ts";
import { expected, numbers } from "./support/expected.ts";
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
    const draw = numbers(7);
    const graph = net.build();
    const [x, dy] = [draw(T, B, I), draw(T, B, graph.outputs.get("output")!.width)];
    const options = lengths ? { lengths } : {};
    const agree = expected(model, { inputs: { x }, seeds: { output: dy }, ...options });
    const gradients = gradientSync(model, x, { output: dy }, options);
    const run = model.runSync(x, { ...options, trace: true });

    agree("output output", run.output);
    for (const name of graph.traces.keys()) agree(`trace ${name}`, run.trace[name]);
    agree("output output", gradients.output);
    for (const name of graph.parameters.keys()) agree(`d.${name}`, gradients.parameters[name]);
    agree("d.input x", gradients.input);
    model.dispose();
    expect(backend.live()).toBe(0);
  });
});
