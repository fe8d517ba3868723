import { describe, expect, it } from "vitest";
import { differentiate } from "../src/adjoint.ts";
import type { Accuracy } from "../src/backend.ts";
import { lstm } from "../src/cells/index.ts";
import { apply, Expr, Graph, reduce, relu, tanh, type Node } from "../src/expr.ts";
import { constant } from "../src/initializers.ts";
import { recurrent } from "../src/layers.ts";
import { network } from "../src/network.ts";
import { bounded, endToEnd, evaluate, finalState, noise, type OracleInputs } from "../src/oracle.ts";

const float32: Accuracy = {
  unit: 2 ** -24,
  accumulate: 2 ** -24,
  functions: {},
  nan: true,
  subnormals: true,
  batchExact: true,
};

const draw = (length: number, random: () => number, scale = 1): Float32Array =>
  Float32Array.from({ length }, () => scale * random());

function lstmCase(T: number, B: number, I: number, H: number): { graph: Graph; inputs: OracleInputs } {
  const layer = recurrent(lstm, { inputSize: I, hiddenSize: H, name: "0" });
  const graph = network({ x: I }, ({ x }) => layer(x)).build();
  const random = noise(1);
  const parameters = Object.fromEntries(
    [...graph.parameters].map(([name, { rows, width }]) => [
      name,
      draw(rows * width, random, 1 / Math.sqrt(H)),
    ]),
  );
  const states = Object.fromEntries([...graph.states].map(([name, s]) => [name, draw(B * s.width, random)]));
  return {
    graph,
    inputs: { steps: T, batch: B, parameters, states, inputs: { x: draw(T * B * I, random) } },
  };
}

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

/** The equations once more, as plain loops. */
function plainLstm(T: number, B: number, I: number, H: number, given: OracleInputs): Float64Array {
  const p = (name: string): ArrayLike<number> => given.parameters![`0.${name}`]!;
  const out = new Float64Array(T * B * H);
  for (let b = 0; b < B; b++) {
    let h = Array.from({ length: H }, (_, j) => given.states!["0.h"]![b * H + j]!);
    let c = Array.from({ length: H }, (_, j) => given.states!["0.c"]![b * H + j]!);
    for (let t = 0; t < T; t++) {
      const gate = (name: string): number[] =>
        h.map((_, j) => {
          let sum = p(`b.${name}`)[j]!;
          for (let k = 0; k < I; k++)
            sum += p(`W.${name}`)[j * I + k]! * given.inputs!["x"]![(t * B + b) * I + k]!;
          for (let k = 0; k < H; k++) sum += p(`U.${name}`)[j * H + k]! * h[k]!;
          return sum;
        });
      const [i, f, g, o] = ["i", "f", "g", "o"].map(gate) as [number[], number[], number[], number[]];
      c = c.map((cell, j) => sigmoid(f[j]!) * cell + sigmoid(i[j]!) * Math.tanh(g[j]!));
      h = c.map((cell, j) => sigmoid(o[j]!) * Math.tanh(cell));
      out.set(h, (t * B + b) * H);
    }
  }
  return out;
}

describe("evaluate", () => {
  it.each([
    [3, 2, 4, 5],
    [1, 1, 1, 1],
    [0, 3, 2, 2],
    [4, 0, 2, 2],
  ])("gives the LSTM's equations for T %i, B %i, I %i, H %i", (T, B, I, H) => {
    const { graph, inputs } = lstmCase(T, B, I, H);
    const output = graph.outputs.get("output")!;
    const plain = plainLstm(T, B, I, H, inputs);
    const got = evaluate(graph, [output], inputs).get(output)!.data;
    expect(got.length).toBe(plain.length);
    got.forEach((v, i) => expect(v).toBeCloseTo(plain[i]!, 13));
  });

  it("walks thousands of steps without recursion, and backwards from the end", () => {
    const graph = new Graph();
    const x = graph.input("x", 1, "sequence");
    const sums = [false, true].map((reverse) => {
      const state = graph.state(graph.loop("l", reverse), `s.${reverse}`, 1, 10);
      graph.next.set(state, graph.map("plus", state, x));
      return state;
    });
    const steps = 5000;
    const inputs = { steps, batch: 1, inputs: { x: Float64Array.from({ length: steps }, (_, t) => t) } };
    const [forward, backward] = sums as [(typeof sums)[0], (typeof sums)[0]];
    const wanted = sums.flatMap((s): Node[] => [s, graph.next.get(s)!]);
    const values = evaluate(graph, wanted, inputs);
    expect(values.get(forward)!.data[3]).toBe(10 + 0 + 1 + 2);
    expect(values.get(backward)!.data[steps - 3]).toBe(10 + (steps - 1) + (steps - 2));
    const total = 10 + (steps * (steps - 1)) / 2;
    for (const s of sums) expect(finalState(graph, s, values, inputs).data[0]).toBe(total);
  });

  it("starts every step from a pinned state", () => {
    const { graph, inputs } = lstmCase(4, 2, 3, 5);
    const [h, c] = [graph.states.get("0.h")!, graph.states.get("0.c")!];
    const free = evaluate(graph, [h, c, ...graph.outputs.values()], inputs);
    const pinned = { "0.h": free.get(h)!.data, "0.c": free.get(c)!.data };
    const out = graph.outputs.get("output")!;
    const again = evaluate(graph, [out], { ...inputs, pinned }).get(out)!.data;
    again.forEach((v, i) => expect(v).toBeCloseTo(free.get(out)!.data[i]!, 14));
  });

  it("says what is missing", () => {
    const { graph, inputs } = lstmCase(2, 1, 3, 2);
    const out = [...graph.outputs.values()];
    expect(() => evaluate(graph, out, { ...inputs, inputs: {} })).toThrow(/values for input x, got none/);
    expect(() => evaluate(graph, out, { ...inputs, batch: 2 })).toThrow(/expected 4 · 3 values/);
  });
});

/** The same graph in float32, each operation rounded once: a device that is just as good as it declares. */
function rounded(
  fn: (g: Graph, x: Node) => Node,
  x: number,
  width = 1,
): { value: number; bound: number; float: number } {
  const graph = new Graph();
  const input = graph.input("x", width, "sequence");
  const node = fn(graph, input);
  const given = { steps: 1, batch: 1, inputs: { x: new Float64Array(width).fill(x) } };
  const { data, error } = evaluate(graph, [node], given, bounded(float32)).get(node)!;
  const float = evaluate(graph, [node], given, {
    finish: (_, value) => value.data.forEach((v, i) => (value.data[i] = Math.fround(v))),
  }).get(node)!;
  return { value: data[0]!, bound: error?.[0] ?? 0, float: float.data[0]! };
}

describe("running error analysis", () => {
  const chains: readonly [string, (v: Expr) => Expr][] = [
    ["a polynomial", (v) => v.times(v).plus(0.1).times(v).minus(1.7)],
    ["softsign", (v) => v.over(apply("abs", v).plus(1))],
    ["a deep composition", (v) => tanh(relu(tanh(v.times(1.3)).plus(0.2)).plus(v.times(0.01)))],
    ["a cancellation", (v) => v.plus(1).times(v.plus(1)).minus(v.times(v)).minus(v.times(2)).minus(1)],
    ["a quotient", (v) => apply("rsqrt", v.times(v).plus(1e-5)).times(v)],
  ];
  it.each(chains)("bounds %s, and not by much more than it must", (_, chain) => {
    const random = noise(7);
    let used = 0;
    for (let i = 0; i < 500; i++) {
      const { value, bound, float } = rounded(
        (g, x) => chain(new Expr(g, x)).node,
        Math.fround(3 * random()),
      );
      expect(Math.abs(float - value)).toBeLessThanOrEqual(bound);
      if (bound > 0) used = Math.max(used, Math.abs(float - value) / bound);
    }
    expect(used).toBeGreaterThan(0.1);
  });

  it("knows nothing past a pole, and covers both sides of an undecided comparison", () => {
    expect(
      rounded((g, x) => g.map("log", g.map("minus", g.map("exp", x), g.constant(1))), 2 ** -30).bound,
    ).toBe(Infinity);
    const undecided = rounded((g, x) => {
      const near = g.map("less", g.map("exp", x), g.map("plus", g.constant(1), x));
      return g.map("select", near, g.constant(5), g.constant(-3));
    }, 2 ** -20);
    expect(undecided.bound).toBeGreaterThanOrEqual(8);
    const decided = rounded((g, x) => g.map("select", g.map("less", x, g.constant(2)), g.constant(5), x), 1);
    expect(decided).toMatchObject({ value: 5, bound: 0 });
  });

  it("keeps ∞, −∞ and NaN exact where the operands are", () => {
    expect(rounded((g, x) => g.map("plus", x, g.constant(-Infinity)), 3)).toMatchObject({
      value: -Infinity,
      bound: 0,
    });
    expect(rounded((g, x) => g.map("exp", g.map("plus", x, g.constant(-Infinity))), 3)).toMatchObject({
      value: 0,
      bound: 0,
    });
    expect(rounded((g, x) => g.map("times", g.map("tanh", x), g.constant(NaN)), 3)).toMatchObject({
      value: NaN,
      bound: 0,
    });
    expect(rounded((g, x) => g.map("exp", x), 300).bound).toBe(Infinity);
  });

  it("lets a maximum's gradient see that the maximum is one of the elements", () => {
    const graph = new Graph();
    const x = graph.map("tanh", graph.input("x", 3, "sequence"));
    const picked = graph.map("equal", x, reduce(graph, "max", x));
    const ask = (values: readonly number[]) =>
      evaluate(graph, [picked], { steps: 1, batch: 1, inputs: { x: values } }, bounded(float32)).get(picked)!;
    expect([...ask([0.1, 0.5, 0.3]).error!]).toEqual([0, 0, 0]);
    expect([...ask([0.1, 0.5, 0.5 + 1e-9]).error!]).toEqual([0, 1, 1]);
  });

  it("bounds joined sums of products in any order", () => {
    const graph = new Graph();
    const [x, h] = [graph.input("x", 40, "sequence"), graph.input("h", 40, "sequence")];
    const [W, U, b] = [
      [1, 40],
      [1, 40],
      [1, 1],
    ].map(([r, w], i) => graph.parameter("WUb"[i]!, "WUb"[i]!, [r!, w!], constant(0)));
    const node = graph.map("plus", graph.map("plus", graph.product(W!, x), graph.product(U!, h)), b!);
    const random = noise(3);
    for (let n = 0; n < 200; n++) {
      const [vx, vh, vW, vU] = [40, 40, 40, 40].map((length) => draw(length, random)) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const vb = Float32Array.of(30 * random());
      const { data, error } = evaluate(
        graph,
        [node],
        { steps: 1, batch: 1, inputs: { x: vx, h: vh }, parameters: { W: vW, U: vU, b: vb } },
        bounded(float32),
      ).get(node)!;
      let joined = vb[0]!;
      for (const [m, v] of [
        [vW, vx],
        [vU, vh],
      ] as const)
        m.forEach((w, k) => (joined = Math.fround(joined + Math.fround(w * v[k]!))));
      expect(Math.abs(joined - data[0]!)).toBeLessThanOrEqual(error![0]!);
    }
  });
});

describe("end to end", () => {
  it("tolerates about what float32 makes of an LSTM, forward and adjoint, and no more", () => {
    const { graph, inputs } = lstmCase(20, 2, 8, 16);
    const output = graph.outputs.get("output")!;
    const seed = graph.input("d.output", 16, "sequence");
    const adjoint = differentiate(graph, new Map([[output, seed]]));
    const given = { ...inputs, inputs: { ...inputs.inputs, "d.output": draw(20 * 2 * 16, noise(9)) } };
    const wanted = [output, ...adjoint.parameters.values()];
    const judged = endToEnd(graph, wanted, given, float32)!;
    const float = evaluate(graph, wanted, given, {
      finish: (_, value, __, from, to) => {
        for (let i = from * value.width; i < to * value.width; i++)
          value.data[i] = Math.fround(value.data[i]!);
      },
    });
    for (const node of wanted) {
      const { expected, tolerance } = judged.get(node)!;
      const worst = Math.max(
        ...expected.map((v, i) => Math.abs(float.get(node)!.data[i]! - v) / Math.max(1, Math.abs(v))),
      );
      expect(worst).toBeLessThanOrEqual(tolerance);
      expect(worst).toBeGreaterThan(tolerance / 100);
    }
  });

  it("declines where a comparison is too close to call", () => {
    const graph = new Graph();
    const x = graph.input("x", 1, "sequence");
    const y = graph.map(
      "select",
      graph.map("less", graph.map("tanh", x), graph.constant(0.5)),
      x,
      graph.constant(0),
    );
    const at = (v: number) => endToEnd(graph, [y], { steps: 1, batch: 1, inputs: { x: [v] } }, float32);
    expect(at(Math.atanh(0.5))).toBeUndefined();
    expect(at(0.1)).toBeDefined();
  });
});
