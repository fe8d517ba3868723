/** What the planner makes of cells: what is left in the loop, what grows with the sequence, and what limits change. */
import { describe, expect, it } from "vitest";
import type { Launch, Limits, Program } from "../src/backend.ts";
import { createModel, gradientSync, lstm, mapLimits, minGru, type GradientResult } from "../src/index.ts";
import { gradientRecipe } from "../src/gradient.ts";
import { compile, Graph, verify, type Node, type StateNode } from "../src/internal.ts";
import { cells } from "./support/all-cells.ts";
import { numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";
import { backward, forward, inputSize, single, wide } from "./support/programs.ts";

const launches = (program: Program, kind: "rows" | "loop"): Launch[] =>
  program.sections.flatMap((s) => s.parts.filter((p) => p.kind === kind).flatMap((p) => p.launches));

/** The kernels of each loop, in order. */
const loops = (program: Program): string[] =>
  program.sections.flatMap((s) =>
    s.parts.filter((p) => p.kind === "loop").map((p) => p.launches.map((l) => l.kernel.op).join(" ")),
  );

const pointwise = (of: readonly Launch[]): number =>
  of.reduce((sum, { kernel }) => sum + (kernel.op === "map" ? kernel.instructions.length : 0), 0);

describe("the loop holds only what the next state depends on", () => {
  const simple = ["gemm map", "map gemm"];
  const twice = ["gemm map gemm map", "map gemm map gemm"];
  const none = ["map", "map"];
  it.each([
    ["lstm", simple],
    ["lstmPeephole", simple],
    ["lstmCoupled", simple],
    ["gru", simple],
    ["gruResetBefore", twice],
    ["mgu", twice],
    ["rnnTanh", simple],
    ["rnnRelu", simple],
    ["slstm", simple],
    ["minGru", none],
    ["minLstm", none],
    ["indrnn", none],
  ] as const)("%s: %s", (name, expected) => {
    expect(loops(forward(single(cells[name]!)))).toEqual(expected.slice(0, 1));
    expect(loops(backward(single(cells[name]!)))).toEqual(expected);
  });

  it("lstmp: the projection is a second product, and the carried h is read by the first", () => {
    expect(loops(forward(single(cells["lstmp"]!)))).toEqual(["gemm map gemm map"]);
  });

  it("minGRU: of 7 pointwise operations 2 are in the loop, forward and backward", () => {
    const run = forward(single(minGru));
    // Two biases are added in the gemm before it.
    expect(pointwise(launches(run, "rows")) + 2 + pointwise(launches(run, "loop"))).toBe(7);
    expect(pointwise(launches(run, "loop"))).toBe(2);
    const gradient = backward(single(minGru));
    // δ = ∂L/∂output + the carried δ, times 1 − z.
    expect(pointwise(launches(gradient, "loop")) - 2).toBe(2);
    expect(pointwise(launches(gradient, "rows"))).toBeGreaterThan(8);
  });

  it("the input's products are one gemm for all gates, before the loop or joined into the recurrent one", () => {
    const products = (projection: "before" | "joined"): (readonly [number, number])[] =>
      forward(single(lstm), { ...wide, projection }).sections.flatMap((s) =>
        s.parts.flatMap((p) =>
          p.launches.flatMap(({ kernel: k }) =>
            k.op === "gemm" ? [[k.width, k.terms.length] as const] : [],
          ),
        ),
      );
    expect(products("before")).toEqual([[24, 1], [24, 1]]); // prettier-ignore
    expect(products("joined")).toEqual([[24, 2]]);
  });

  it("a projection that has no recurrent product to join stays before the loop", () => {
    const joined = { ...wide, projection: "joined" } as const;
    expect(loops(forward(single(cells["indrnn"]!), joined))).toEqual(["map"]);
    expect(loops(forward(single(cells["minGru"]!), joined))).toEqual(["map"]);
    // r and z are joined; the candidate's U·h is scaled by r, so W·x can't be.
    expect(loops(forward(single(cells["gru"]!), joined))).toEqual(["gemm gemm map"]);
  });
});

describe("two loops that need each other", () => {
  // In `a` the other's state before the step; in `b` that, or what it becomes in the step.
  it.each(["state", "next"] as const)("are refused: the %s", (what) => {
    const graph = new Graph();
    const [a, b] = ["a", "b"].map((name) => graph.state(graph.loop(name, false), name, 2, 0)) as [Node, Node];
    const next = graph.map("plus", a, b);
    graph.next.set(a as StateNode, next);
    graph.next.set(b as StateNode, graph.map("times", b, what === "state" ? a : next));
    const outputs = new Map([["output", next]]);
    expect(() => compile(graph, { name: "run", outputs, states: [], target: wide })).toThrow(
      /^(a|b) and (another loop|a|b) depend on each other within a step; declare them as one cell/,
    );
  });
});

describe("memory", () => {
  it.each(Object.entries(cells))(
    "%s, forward: nothing but input and output grows with the sequence",
    (_, cell) => {
      for (const reverse of [false, true]) {
        const grows = forward(single(cell, { reverse })).buffers.filter(
          (b) => b.slots === "steps" || b.slots === "steps+1",
        );
        expect(grows.map((b) => b.role).sort()).toEqual(["input", "output"]);
      }
    },
  );

  it("values of one shape share a buffer when their lifetimes don't overlap", () => {
    const graph = single(minGru).build();
    const seen: Program[] = [];
    compile(graph, { name: "gradient", ...gradientRecipe(graph), target: wide, check: (p) => seen.push(p) });
    const [lowered, planned] = seen as [Program, Program];
    expect(planned.buffers.length).toBeLessThan(lowered.buffers.length);
    for (const program of seen) verify(program);
  });
});

describe("a backend's limits change no bit", () => {
  it.each([
    [2, 1],
    [3, 0],
    [NaN, 1],
  ])("and leave room for a select: not %s inputs and %s outputs", (inputs, outputs) => {
    expect(() => mapLimits({ inputs, outputs })).toThrow(
      /mapLimits: expected maps that take at least 3 inputs and 1 output, got/,
    );
  });

  const draw = numbers(3);
  it.each(Object.entries(cells))("%s", (_, cell) => {
    const net = single(cell, { bidirectional: true, merge: "sum" });
    const width = net.build().outputs.get("output")!.width;
    const [x, output] = [draw(5, 2, inputSize), draw(5, 2, width)];
    const gradientOn = (limits: Limits): GradientResult =>
      gradientSync(createModel(net, openPlain({ limits })), x, { output }, { lengths: [5, 2] });
    const unlimited = gradientOn(wide.limits);
    expect(gradientOn({ maps: mapLimits({ inputs: 8, outputs: 2 }), rows: 1e9 })).toEqual(unlimited);
    // Chunks of 2, 2 and 1 steps.
    expect(gradientOn({ maps: mapLimits({ inputs: 3, outputs: 1 }), rows: 4 })).toEqual(unlimited);
  });
});
