/** The verifier catches every way in which a kernel and its operands can be broken. */
import { describe, expect, it } from "vitest";
import { embedding, last, lstm, mapLimits, recurrent, stack } from "../src/index.ts";
import { verify } from "../src/internal.ts";
import { Broken, describeBreakages, type Breakage } from "./support/broken.ts";
import { backward, forward, single, wide } from "./support/programs.ts";

const run = forward(single(lstm));
const gradient = backward(single(lstm));
const words = backward(
  stack(
    embedding({ vocabularySize: 5, outputSize: 4 }),
    recurrent(lstm, { inputSize: 4, hiddenSize: 6 }),
    last,
  ),
);

const ofRun: readonly Breakage[] = [
  [
    "a column past the end",
    /launch 0 \(gemm.*input 1.*inside x/,
    (b) => (b.part("forward", 0).launches[0]!.inputs[1]!.column = 1),
  ],
  ["a row past the end", /inside 0\.U/, (b) => (b.loop("gemm").inputs[2]!.row = 1)],
  ["a negative row", /row of at least 0/, (b) => (b.loop("gemm").inputs[2]!.row = -1)],
  ["half a column", /column of at least 0, got 0.5/, (b) => (b.loop("gemm").inputs[1]!.column = 0.5)],
  ["a width that doesn't fit", /expected a width of 6, got 5/, (b) => (b.loop("gemm").inputs[1]!.width = 5)],
  ["a repeated row of a matrix", /no repeated rows/, (b) => (b.loop("gemm").inputs[2]!.repeatRow = true)],
  ["a repeated row of a batch", /to have 1 rows/, (b) => (b.loop("gemm").inputs[1]!.repeatRow = true)],
  [
    "a repeated output",
    /output 0: expected no repeated/,
    (b) => (b.loop("map").outputs[0]!.repeatRow = true),
  ],
  ["an unknown buffer", /expected a buffer, got number 99/, (b) => (b.loop("map").inputs[0]!.buffer = 99)],
  ["a state without its pair", /pair for states only/, (b) => delete b.loop("gemm").inputs[1]!.pair],
  ["a pair of no state", /pair for states only/, (b) => (b.loop("gemm").inputs[0]!.pair = "current")],
  [
    "a slot after the last",
    /slot of this step/,
    (b) => (b.part("forward", 0).launches[0]!.inputs[1]!.shift = 1),
  ],
  [
    "rows of many steps in a loop",
    /rows that this part has, got steps/,
    (b) => (b.loop("map").rows = "steps"),
  ],
  [
    "rows of one step before a loop",
    /rows that this part has, got batch/,
    (b) => (b.part("forward", 0).launches[0]!.rows = "batch"),
  ],
  [
    "a batch for a matrix",
    /to have 24 rows/,
    (b) => (b.loop("gemm").inputs[2] = { ...b.loop("map").inputs[0]! }),
  ],
  ["a depth that doesn't fit", /expected a width of 5, got 6/, (b) => (b.gemm.terms[0]!.depth = 5)],
  ["a depth of 0", /depth of at least 1/, (b) => (b.gemm.terms[0]!.depth = 0)],
  ["the addend as a factor", /term's operands to be among/, (b) => (b.gemm.terms[0]!.a = 0)],
  ["a factor that isn't there", /term's operands to be among/, (b) => (b.gemm.terms[0]!.b = 3)],
  ["no terms", /at least one product/, (b) => (b.gemm.terms = [])],
  ["a transposed a in products of rows", /a not transposed/, (b) => (b.gemm.terms[0]!.transposeA = true)],
  ["an input that no term uses", /isn't used/, (b) => b.loop("gemm").inputs.push(b.loop("gemm").inputs[0]!)],
  ["a missing input", /expected \d+ inputs/, (b) => b.loop("map").inputs.pop()],
  ["a missing output", /expected \d+ outputs/, (b) => b.loop("map").outputs.pop()],
  [
    "an argument that isn't there yet",
    /earlier result/,
    (b) => (b.map.instructions[0]!.args[0] = { result: 0 }),
  ],
  [
    "an argument of no input",
    /expected one of \d+ inputs, got input 9/,
    (b) => (b.map.instructions[0]!.args[0] = { input: 9 }),
  ],
  [
    "too many arguments",
    /1 arguments of \w+, got 2/,
    (b) => b.map.instructions[0]!.args.push({ constant: 1 }),
  ],
  [
    "too few arguments",
    /2 arguments of plus, got 1/,
    (b) => b.map.instructions.find((i) => i.fn === "plus")!.args.pop(),
  ],
  ["an output of no result", /outputs among/, (b) => (b.map.outputs[0] = 99)],
  ["a map without outputs", /at least one output/, (b) => (b.map.outputs = [])],
  ["a width of 0", /width of at least 1/, (b) => (b.map.width = 0)],
  [
    "a gemm that reads what it writes",
    /overlaps input 0/,
    (b) => (b.loop("gemm").outputs[0] = { ...b.loop("gemm").inputs[0]! }),
  ],
  [
    "a map that reads beside what it writes",
    /overlaps input/,
    (b) => {
      const { inputs, outputs } = b.loop("map");
      outputs[outputs.findIndex((o) => !o.pair)] = { ...inputs[0]!, column: 1 };
    },
  ],
  [
    "two outputs in one place",
    /is written twice/,
    (b) => (b.loop("map").outputs[1] = { ...b.loop("map").outputs[0]! }),
  ],
];

const ofGradient: readonly Breakage[] = [
  ["a stacked gradient past its storage", /inside d\.0\.b/, (b) => (b.writer("d.0.b").outputs[0]!.row = 1)],
  [
    "a sum over rows that isn't transposed",
    /sum over rows to be aᵀ·b/,
    (b) => Object.assign(b.writer("d.0.U").kernel, { rows: "rows" }),
  ],
  [
    "a sum with other rows",
    /expected a width of 5/,
    (b) => Object.assign(b.writer("d.0.U").kernel, { rows: 5 }),
  ],
];

const ofWords: readonly Breakage[] = [
  [
    "a table from its middle",
    /table from its first row/,
    (b) => (b.launch((l) => l.kernel.op === "gather").inputs[0]!.row = 1),
  ],
  [
    "an index of several columns",
    /expected a width of 1/,
    (b) => (b.launch((l) => l.kernel.op === "gather").inputs[1]!.width = 2),
  ],
  [
    "a table of other rows",
    /inside d\.0\.W/,
    (b) => Object.assign(b.writer("d.0.W").kernel, { tableRows: 6 }),
  ],
  [
    "a table that isn't there at once",
    /to have table rows/,
    (b) => {
      const { inputs } = b.launch((l) => l.kernel.op === "gather" && l.rows === "batch");
      inputs[0] = { ...b.loop("map").inputs[0]!, column: 0 };
    },
  ],
];

describeBreakages([
  ["an LSTM", run, ofRun],
  ["an LSTM's gradient", gradient, ofGradient],
  ["an embedding's gradient", words, ofWords],
]);

describe("what only some backends take", () => {
  const with_ =
    (limits: { readonly inputs: number; readonly outputs: number }): (() => void) =>
    () =>
      verify(run, { ...wide, limits: { ...wide.limits, maps: mapLimits(limits) } });
  it("a map with too many inputs", () =>
    expect(with_({ inputs: 4, outputs: 9 })).toThrow(/at most 4 inputs, got 5/));
  it("a map with too many outputs", () =>
    expect(with_({ inputs: 9, outputs: 2 })).toThrow(/at most 2 outputs, got 3/));
  it("a map in place", () => {
    const broken = new Broken(run);
    const map = broken.loop("map");
    // Into the columns of its own first input.
    map.outputs[map.outputs.findIndex((o) => !o.pair)] = { ...map.inputs[0]! };
    const attempt = (inPlace: boolean) => (): void => verify(broken.program, { ...wide, inPlace });
    expect(attempt(false)).toThrow(/overlaps input 0/);
    expect(attempt(true)).toThrow(/output output: .*read before it is written/);
  });
});
