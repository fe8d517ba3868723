/** Every program that the planner makes keeps the contract: all shipped cells, forward and backward, on narrow and wide backends. */
import { describe, expect, it } from "vitest";
import {
  activation,
  concat,
  dense,
  dropout,
  embedding,
  last,
  layerNorm,
  lstm,
  mapLimits,
  network,
  recurrent,
  stack,
  tanh,
} from "../src/index.ts";
import { cells } from "./support/all-cells.ts";
import { backward, forward, single, wide, type Target } from "./support/programs.ts";

const targets: Readonly<Record<string, Target>> = {
  wide,
  "joined projection, not in place": { ...wide, projection: "joined", inPlace: false },
  "8 inputs, 2 outputs": { ...wide, limits: { maps: mapLimits({ inputs: 8, outputs: 2 }), rows: 1e9 } },
  "3 inputs, 1 output, joined": {
    limits: { maps: mapLimits({ inputs: 3, outputs: 1 }), rows: 1e9 },
    inPlace: false,
    projection: "joined",
  },
};
const shapes = [
  {},
  { reverse: true },
  { bidirectional: true, merge: "mul" },
  { layers: 2, bidirectional: true, dropout: 0.5 },
] as const;

describe.each(Object.entries(targets))("on a backend of %s", (_, target) => {
  it.each(Object.entries(cells))("%s", (_name, cell) => {
    for (const shape of shapes)
      for (const masked of [false, true]) {
        const net = single(cell, shape);
        const run = forward(net, target, { masked, trace: true });
        const gradient = backward(net, target, { masked, dropout: true });
        for (const { kernel } of [run, gradient].flatMap((p) =>
          p.sections.flatMap((s) => s.parts.flatMap((part) => part.launches)),
        )) {
          if (kernel.op !== "map") continue;
          const { inputs, outputs } = target.limits.maps ?? { inputs: Infinity, outputs: Infinity };
          expect(kernel.inputs).toBeLessThanOrEqual(inputs);
          expect(kernel.outputs.length).toBeLessThanOrEqual(outputs);
        }
      }
  });

  it("layers of every kind together", () => {
    const nets = [
      stack(
        embedding({ vocabularySize: 5, outputSize: 4 }),
        recurrent(lstm, { inputSize: 4, hiddenSize: 3 }),
        layerNorm({ size: 3 }),
        dropout(0.2),
        last,
      ),
      network({ a: 2, b: 3 }, ({ a, b }) => {
        const shared = recurrent(lstm, { inputSize: 5, hiddenSize: 4 });
        const joined = concat(a, b);
        const h = shared(joined);
        const out = dense({ inputSize: 9, outputSize: 5 })(concat(h, joined));
        return { again: shared(out), last: last(activation(tanh)(h)), a };
      }),
    ];
    for (const net of nets)
      for (const masked of [false, true]) {
        forward(net, target, { masked, trace: true });
        backward(net, target, { masked, dropout: true });
      }
  });
});
