/** Faults in ragged batches. */
import type { Instruction, Launch, Program } from "@recurra/core/internal";
import { rewrite, type Mutant } from "./mutant.ts";
import { mapLaunches, programFault, shadowFault } from "./program-faults.ts";

export const maskMutants: readonly Mutant[] = [
  shadowFault(
    "ends one step early",
    "takes every row to be a step shorter",
    (data, name, _, { batch }) => (name === "mask" ? data.map((_v, i) => data[i + batch] ?? 0) : undefined),
    "input",
  ),
  shadowFault(
    "last step of another time",
    "gives the step before the last for the last one",
    (data, name, _, { batch }) => (name === "last" ? data.map((v) => Math.max(-1, v - batch)) : undefined),
    "input",
  ),
  programFault("masked steps reset", "a masked step sets the state to 0", (program) =>
    changeKept(
      program,
      () => true,
      (i) => ({ ...i, args: [i.args[0]!, i.args[1]!, { constant: 0 }] }),
    ),
  ),
  programFault(
    "reverse ignores ends",
    "the reverse direction starts at the last step of the batch",
    (program) =>
      changeKept(
        program,
        (state) => state.reverse && !state.name.startsWith("d."),
        ({ args }) => ({ fn: "copy", args: [args[1]!] }),
      ),
  ),
  programFault("masks by multiplication", "multiplies what lies past an end by 0", (program) =>
    mapLaunches(program, (launch) => {
      const { kernel } = launch;
      if (kernel.op !== "map") return launch;
      return {
        ...launch,
        kernel: rewrite(kernel, ({ fn, args }, emit) => {
          const [mask, value, otherwise] = args;
          const zero = otherwise && "constant" in otherwise && otherwise.constant === 0;
          return fn === "select" && zero && isMask(program, launch, mask!)
            ? emit("times", mask!, value!)
            : emit(fn, ...args);
        }),
      };
    }),
  ),
];

const isMask = (program: Program, { inputs }: Launch, arg: Instruction["args"][number]): boolean =>
  "input" in arg && inputs[arg.input]!.buffer === program.inputs["mask"];

/** Rewrite `select(mask, next, state)` for some states. */
function changeKept(
  program: Program,
  of: (state: Program["states"][number]) => boolean,
  change: (instruction: Instruction) => Instruction,
): Program {
  const buffers = new Map(program.states.map((s) => [s.buffer, s]));
  return mapLaunches(program, (launch) => {
    const { kernel, inputs } = launch;
    if (kernel.op !== "map") return launch;
    const rewritten = rewrite(kernel, (instruction, emit) => {
      const { fn, args } = instruction;
      const kept = args[2];
      const operand = kept && "input" in kept ? inputs[kept.input]! : undefined;
      const state = operand?.pair === "current" ? buffers.get(operand.buffer) : undefined;
      const changed =
        fn === "select" && state && of(state) && isMask(program, launch, args[0]!)
          ? change(instruction)
          : instruction;
      return emit(changed.fn, ...changed.args);
    });
    return { ...launch, kernel: rewritten };
  });
}
