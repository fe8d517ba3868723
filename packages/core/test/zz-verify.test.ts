import { describe, it } from "vitest";
import { recurrent, stack, activation, tanh, embedding, last, dense } from "../src/index.ts";
import { compile, gradientGraph, verify } from "../src/internal.ts";
import { cells } from "./support/all-cells.ts";
const wide = { mapInputs: 1e9, mapOutputs: 1e9, rows: 1e9 };
const targets = [
  { projection: "before", limits: wide, inPlace: true }, { projection: "joined", limits: wide, inPlace: false },
  { projection: "before", limits: { mapInputs: 8, mapOutputs: 2, rows: 1e9 }, inPlace: false }] as const;
describe.each(Object.entries(cells))("%s", (name, cell) => {
  for (const shape of [{}, { reverse: true }, { layers: 2, bidirectional: true }])
    for (const masked of [false, true])
      for (const target of targets)
        it(`${JSON.stringify(shape)} ${masked} ${JSON.stringify(target)}`, () => {
          const net = stack(recurrent(cell, { inputSize: 4, hiddenSize: 6, ...shape }), activation(tanh));
          const g = net.build({ masked });
          compile(g, { name: "run", outputs: new Map([...g.outputs, ...g.traces]), states: [...g.states.values()], target, check: verify });
          const g2 = net.build({ masked });
          const { adjoint, outputs } = gradientGraph(g2);
          compile(g2, { name: "gradient", outputs, gradients: adjoint.parameters, states: [...g2.states.values(), ...adjoint.states.values()], target, check: verify });
        });
});
