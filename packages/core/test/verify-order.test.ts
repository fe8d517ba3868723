/** The verifier catches what is read before it is written, written where it mustn't be, or not written at all. */
import { expect, it } from "vitest";
import { createModel, lstm } from "../src/index.ts";
import { verifying } from "../src/internal.ts";
import { Broken, copyOf, describeBreakages, type Breakage } from "./support/broken.ts";
import { openPlain } from "./support/plain-backend.ts";
import { backward, forward, single } from "./support/programs.ts";

const run = forward(single(lstm));
const gradient = backward(single(lstm));
const reverse = backward(single(lstm, { reverse: true }));

/** The loop's map without its output of this kind. */
function unwrite(b: Broken, matches: (o: Broken["program"]["outputs"][string]) => boolean): void {
  const { outputs, kernel } = b.loop("map");
  const at = outputs.findIndex(matches);
  outputs.splice(at, 1);
  if (kernel.op === "map") kernel.outputs.splice(at, 1);
}

const ofRun: readonly Breakage[] = [
  [
    "a state before a loop",
    /in a loop only/,
    (b) => {
      const [to, state] = b.loop("gemm").inputs;
      b.part("forward", 0).launches.push(copyOf(state!, { ...to!, width: state!.width }, "steps"));
    },
  ],
  [
    "a loop's kernels exchanged",
    /section 0 \(forward\) part 1 \(loop\) launch 0 \(map.*read before it is written/,
    (b) => b.part("forward", 1).launches.reverse(),
  ],
  ["a part that is gone", /read before it is written/, (b) => b.program.sections[0]!.parts.shift()],
  [
    "a value of all steps kept for one",
    /to have steps rows/,
    (b) => (b.buffer((s) => s.slots === "chunk").slots = 1),
  ],
  [
    "the next state read before it is written",
    /0\.h is read before/,
    (b) => (b.loop("gemm").inputs[1]!.pair = "next"),
  ],
  [
    "the current state written",
    /state 0\.h \(current\) isn't to be written/,
    (b) => (b.loop("map").outputs.find((o) => b.spec(o).name === "0.h")!.pair = "current"),
  ],
  [
    "a state that isn't carried",
    /state 0\.c: expected every element/,
    (b) => unwrite(b, (o) => b.spec(o).name === "0.c"),
  ],
  [
    "an output that isn't written",
    /output output: output is read before/,
    (b) => unwrite(b, (o) => b.spec(o).name === "output"),
  ],
  [
    "a state carried twice",
    /state 0\.\w: expected to be written once/,
    (b) =>
      b.part("forward", 1).launches.push(
        copyOf(
          b.loop("gemm").inputs[1]!,
          b.loop("map").outputs.find((o) => o.pair)!,
          "batch",
        ),
      ),
  ],
  [
    "a state carried by two loops",
    /one loop that carries it/,
    (b) =>
      b.program.sections[0]!.parts.push({
        kind: "loop",
        launches: [
          copyOf(
            b.loop("gemm").inputs[1]!,
            b.loop("map").outputs.find((o) => !o.pair)!,
            "batch",
          ),
        ],
      }),
  ],
  [
    "a state carried in the other direction",
    /state 0\.h: expected to be written in a reverse section/,
    (b) => (b.program.states.find((s) => s.name === "0.h")!.reverse = true),
  ],
  [
    "an output that core doesn't share",
    /shared with core, got value/,
    (b) => (b.program.outputs["more"] = { ...b.loop("map").inputs[0]! }),
  ],
  [
    "an output that is repeated",
    /neither a pair nor repetition/,
    (b) => (b.program.outputs["output"]!.repeatColumn = true),
  ],
  ["an output past the end", /columns of output/, (b) => (b.program.outputs["output"]!.column = 1)],
  [
    "an output of no buffer",
    /expected a buffer, got number 99/,
    (b) => (b.program.outputs["output"]!.buffer = 99),
  ],
  ["an empty buffer", /sizes of at least 1/, (b) => (b.program.buffers[0]!.width = 0)],
  [
    "a state kept for every step",
    /sizes of states/,
    (b) => (b.buffer((s) => s.role === "state").slots = "steps"),
  ],
  ["an input without a name", /role input under one name/, (b) => (b.program.inputs = {})],
  [
    "a parameter under two names",
    /role parameter under one name/,
    (b) => (b.program.parameters["again"] = b.program.parameters["0.W"]!),
  ],
  ["a state that isn't listed", /role state under one name/, (b) => b.program.states.pop()],
];

const ofGradient: readonly Breakage[] = [
  [
    "a parameter written",
    /parameter 0\.U isn't to be written/,
    (b) => (b.writer("d.0.U").outputs[0]!.buffer = b.program.parameters["0.U"]!),
  ],
  [
    "an input written",
    /input x isn't to be written/,
    (b) => (b.writer("d.input x").outputs[0]!.buffer = b.program.inputs["x"]!),
  ],
  ["a loop in a whole", /no loop/, (b) => (b.part("whole", 0).kind = "loop")],
  [
    "a chunk read by a whole",
    /holds a chunk of them/,
    (b) => (b.spec(b.writer("d.0.U").inputs[0]!).slots = "chunk"),
  ],
  [
    "a history in the slot before the step",
    /slot of the state before it/,
    (b) => {
      const o = b.loop("map").outputs.find((out) => b.spec(out).slots === "steps+1")!;
      o.shift = o.shift === 1 ? 0 : 1;
    },
  ],
  [
    "a history given in the last slot",
    /history of width 6 in the slots before/,
    (b) => {
      const h = b.program.states.find((s) => s.name === "0.c")!.history!;
      h.shift = h.shift === 1 ? 0 : 1;
    },
  ],
  ["sections exchanged", /read before it is written/, (b) => b.program.sections.reverse()],
  [
    "a saved value kept for a chunk",
    /read before it is written/,
    (b) => (b.buffer((s) => s.role === "value" && s.slots === "steps" && s.width === 6).slots = "chunk"),
  ],
  [
    "a constant without values",
    /sizes of constants/,
    (b) => delete b.buffer((s) => s.role === "constant").data,
  ],
  [
    "a history whose first slot isn't given",
    /read before it is written/,
    (b) => delete b.program.states.find((s) => s.name === "0.c")!.history,
  ],
  [
    "a gradient that isn't written",
    /d\.0\.U\.\w: d\.0\.U is read before/,
    (b) => {
      const { parts } = b.program.sections.at(-1)!;
      parts[0]!.launches = parts[0]!.launches.filter((l) => l !== b.writer("d.0.U"));
    },
  ],
  [
    "half of a gradient",
    /d\.0\.U\.[go]: d\.0\.U is read before/,
    (b) => {
      const l = b.writer("d.0.U");
      Object.assign(l.kernel, { rows: 12 });
      l.inputs[0]!.width = 12;
    },
  ],
];

describeBreakages([
  ["an LSTM", run, ofRun],
  ["an LSTM's gradient", gradient, ofGradient],
  ["a reversed LSTM's gradient", reverse, ofGradient],
]);

it("a verifying backend refuses a broken program, and runs good ones as before", () => {
  const plain = openPlain();
  const x = { shape: [3, 2, 4], data: new Float32Array(24).fill(0.5) };
  const [checked, unchecked] = [verifying(plain), plain].map((backend) => createModel(single(lstm), backend));
  expect(checked!.runSync(x).output).toEqual(unchecked!.runSync(x).output);
  const broken = new Broken(run);
  broken.part("forward", 1).launches.reverse();
  expect(() => verifying(plain).prepareProgram?.(broken.program as typeof run)).toThrow(/INTERNAL/);
});
