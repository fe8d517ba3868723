/** Every cell against its paper's equations, through the oracle and on the CPU backend. */
import { openCpu } from "@recurra/backend-cpu";
import { describe, expect, test } from "vitest";
import * as shipped from "../../src/cells/index.ts";
import type { Cell } from "../../src/cell.ts";
import { gradientSync } from "../../src/gradient.ts";
import { recurrent } from "../../src/layers.ts";
import { createModel } from "../../src/model.ts";
import { network, stack } from "../../src/network.ts";
import { evaluate, finalState } from "../../src/oracle.ts";
import type { Tensor } from "../../src/tensor.ts";
import { expected, numbers } from "../support/expected.ts";
import {
  projectionSize,
  references,
  slstmUnstabilised,
  type Reference,
  type State,
  type Vector,
} from "./references.ts";

type Name = keyof typeof references;

const cells: Readonly<Record<Name, Cell>> = {
  ...shipped,
  lstmp: shipped.lstmp({ projectionSize }),
  slstm: shipped.slstm(),
  "slstm, exp": shipped.slstm({ forget: "exp" }),
};

interface Case {
  readonly T: number;
  readonly B: number;
  readonly I: number;
  readonly H: number;
}
interface Values {
  /** [T, B, width] of the output and of every gate, [B, width] of every state at the end. */
  readonly output: Vector;
  readonly gates: State;
  readonly state: State;
}

/** Weights, an input and (with `initial`) states before the first step, for a cell in a network of one layer. */
function example(name: Name, { T, B, I, H }: Case, initial: boolean, seed: number) {
  const net = network({ x: I }, ({ x }) =>
    recurrent(cells[name], { inputSize: I, hiddenSize: H, name: "0" })(x),
  );
  const graph = net.build();
  // In float32, and so the same numbers for all three.
  const draw = numbers(seed);
  const vector = (length: number): number[] => [...draw(length).data];
  const parameters = Object.fromEntries(
    [...graph.parameters].map(([key, p]) => [key, vector(p.rows * p.width)]),
  );
  const reference: Reference = references[name];
  // A normaliser is positive.
  const state = Object.fromEntries(
    Object.entries(reference.state).map(([key, { width = H }]) => [
      `0.${key}`,
      vector(B * width).map((v) => (key === "n" ? Math.fround(1 + v / 2) : v)),
    ]),
  );
  return { net, graph, T, B, I, H, parameters, x: vector(T * B * I), states: initial ? state : {} };
}
type Example = ReturnType<typeof example>;

/** What the paper's equations give. */
function referenceRun(reference: Reference, { graph, T, B, I, H, parameters, x, states }: Example): Values {
  const weight = (name: string): { data: Vector; width: number } => {
    const node = graph.parameters.get(`0.${name}`);
    if (!node) throw new Error(`the cell has no ${name}`);
    return { data: parameters[`0.${name}`]!, width: node.width };
  };
  const weights = {
    vector: (name: string) => weight(name).data,
    matrix: (name: string) => {
      const { data, width } = weight(name);
      return Array.from({ length: data.length / width }, (_, r) => data.slice(r * width, (r + 1) * width));
    },
  };
  const rows = Array.from({ length: B }, (_, b) => {
    let state: State = Object.fromEntries(
      Object.entries(reference.state).map(([key, { width = H, initial = 0 }]) => {
        const given = states[`0.${key}`];
        return [
          key,
          given ? given.slice(b * width, (b + 1) * width) : new Array<number>(width).fill(initial),
        ];
      }),
    );
    const steps = Array.from({ length: T }, (_, t) => {
      const step = reference.step(x.slice((t * B + b) * I, (t * B + b + 1) * I), state, weights);
      state = step.state;
      return step;
    });
    return { steps, state };
  });
  const everyStep = (of: (step: ReturnType<Reference["step"]>) => Vector): Vector =>
    Array.from({ length: T }, (_, t) => rows.flatMap((row) => of(row.steps[t]!))).flat();
  return {
    output: everyStep((step) => step.state["h"]!),
    gates: Object.fromEntries(
      Object.keys(rows[0]!.steps[0]!.gates).map((gate) => [gate, everyStep((step) => step.gates[gate]!)]),
    ),
    state: Object.fromEntries(
      Object.keys(reference.state).map((key) => [key, rows.flatMap((row) => row.state[key]!)]),
    ),
  };
}

const bare = (key: string): string => key.slice("0.".length);

function oracleRun({ graph, T, B, parameters, x, states }: Example): Values {
  const inputs = { steps: T, batch: B, parameters, inputs: { x }, states };
  const output = graph.outputs.get("output")!;
  const values = evaluate(graph, [output, ...graph.traces.values(), ...graph.next.values()], inputs);
  return {
    output: [...values.get(output)!.data],
    gates: Object.fromEntries(
      [...graph.traces].map(([key, node]) => [bare(key), [...values.get(node)!.data]]),
    ),
    state: Object.fromEntries(
      [...graph.states].map(([key, node]) => [bare(key), [...finalState(graph, node, values, inputs).data]]),
    ),
  };
}

/** Runs on the CPU backend; every result is as far from the oracle's as float32 may be, and no farther. */
function cpuAgrees({ net, graph, T, B, I, parameters, x, states }: Example): void {
  const tensor = (shape: readonly number[], data: Vector): Tensor => ({
    shape,
    data: Float32Array.from(data),
  });
  const model = createModel(net, openCpu(), {
    parameters: Object.fromEntries(
      [...graph.parameters].map(([key, { shape }]) => [key, tensor(shape, parameters[key]!)]),
    ),
  });
  const input = tensor([T, B, I], x);
  const state = Object.fromEntries(
    Object.entries(states).map(([key, data]) => [key, tensor([B, data.length / B], data)]),
  );
  const close = expected(model, { inputs: { x: input }, state });
  const result = model.runSync(input, { state, trace: true });
  model.dispose();
  close("output output", result.output);
  for (const key of graph.traces.keys()) close(`trace ${key}`, result.trace[key]);
  for (const key of graph.states.keys()) close(`state ${key}`, result.state[key]);
}

function near(got: Vector, expected: Vector, tolerance: number, what: string): void {
  expect(got.length, what).toBe(expected.length);
  for (const [i, e] of expected.entries())
    if (!(Math.abs(got[i]! - e) <= tolerance * Math.max(1, Math.abs(e))))
      expect.fail(`${what}[${i}]: expected ${e}, got ${got[i]}`);
}

function agree(got: Values, expected: Values, tolerance: number): void {
  near(got.output, expected.output, tolerance, "output");
  // A trace shows the paper's gates and the states.
  expect(Object.keys(got.gates).sort()).toEqual(
    [...new Set([...Object.keys(expected.gates), ...Object.keys(expected.state)])].sort(),
  );
  for (const [gate, values] of Object.entries(expected.gates))
    near(got.gates[gate]!, values, tolerance, gate);
  expect(Object.keys(got.state).sort()).toEqual(Object.keys(expected.state).sort());
  for (const [key, values] of Object.entries(expected.state))
    near(got.state[key]!, values, tolerance, `state ${key}`);
}

const cases: readonly Case[] = [
  { T: 7, B: 3, I: 4, H: 5 },
  { T: 5, B: 1, I: 1, H: 1 },
  { T: 3, B: 2, I: 6, H: 2 },
];
const names = Object.keys(references) as Name[];

// A new cell needs none: the laws take it as it is declared. A second reading of its paper is worth having all the same.
test("every reference is of a shipped cell", () => {
  expect(Object.keys(shipped)).toEqual(expect.arrayContaining(names.map((name) => name.split(",")[0]!)));
});

describe.each(names)("%s", (name) => {
  for (const [seed, sizes] of cases.entries())
    for (const initial of [false, true]) {
      const title = `T ${sizes.T}, B ${sizes.B}, I ${sizes.I}, H ${sizes.H}, ${initial ? "states given" : "from the start"}`;
      test(`${title}: the oracle gives the paper's numbers`, () => {
        const given = example(name, sizes, initial, seed + 1);
        agree(oracleRun(given), referenceRun(references[name], given), 1e-12);
      });
      test(`${title}: the CPU backend too, in float32`, () => {
        cpuAgrees(example(name, sizes, initial, seed + 1));
      });
    }
});

describe("slstm", () => {
  const forms = [
    ["slstm", "sigmoid"],
    ["slstm, exp", "exp"],
  ] as const;

  test.each(forms)("%s: the stabiliser changes no output", (name, forget) => {
    const given = example(name, { T: 6, B: 2, I: 3, H: 4 }, false, 7);
    near(oracleRun(given).output, referenceRun(slstmUnstabilised(forget), given).output, 1e-12, "output");
  });

  test.each(forms)("%s: gates far beyond exp's range overflow nothing", (name) => {
    const given = example(name, { T: 6, B: 2, I: 3, H: 4 }, false, 7);
    const { output, state } = oracleRun({ ...given, x: given.x.map((v) => v * 1e4) });
    for (const value of [output, ...Object.values(state)].flat()) expect(value).toSatisfy(Number.isFinite);
  });
});

test("minLSTM's gates, both far below 0, don't divide nothing by nothing", () => {
  const model = createModel(stack(recurrent(shipped.minLstm, { inputSize: 2, hiddenSize: 3 })), openCpu(), {
    seed: 1,
  });
  const x = {
    shape: [3, 4, 2],
    data: Float32Array.from({ length: 24 }, (_, i) => [-1e4, -104, 1e4, 0][i % 4]!),
  };
  const { output, parameters } = gradientSync(model, x, { output: numbers(1)(3, 4, 3) });
  for (const { data } of [output, ...Object.values(parameters)])
    expect(data.every(Number.isFinite)).toBe(true);
});
