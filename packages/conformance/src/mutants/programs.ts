/** Faults in how whole programs run: gates, states, steps, directions, masks, and paths of the gradient. */
import {
  interpret,
  type Backend,
  type BufferSpec,
  type DeviceBuffer,
  type Instruction,
  type Launch,
  type Operand,
  type Program,
  type Section,
} from "@recurra/core/internal";
import { forward } from "../wrap.ts";
import { mutant, rewrite, type Mutant } from "./mutant.ts";

/** A fault that another program describes. */
const programFault = (
  name: string,
  what: string,
  change: (program: Program) => Program,
  more: Partial<Backend> = {},
): Mutant =>
  mutant("program", name, what, (backend) =>
    forward(backend, { ...more, prepareProgram: (program) => prepared(backend, change(program)) }),
  );

const prepared = (backend: Backend, program: Program) =>
  backend.prepareProgram?.(program) ?? interpret(program, backend);

/** A run of a program whose shared buffers a fault can change. */
interface Run {
  readonly program: Program;
  readonly steps: number;
  readonly batch: number;
  readonly parity: 0 | 1;
  get(buffer: DeviceBuffer): Float32Array;
  put(buffer: DeviceBuffer, data: Float32Array): void;
  /** A shared buffer of the program; of a state, the one that is current at the beginning (0) or not (1). */
  shared(index: number, which?: 0 | 1): DeviceBuffer;
  /** Run the correct program. */
  run(steps?: number, parity?: 0 | 1): void;
}

const runFault = (name: string, what: string, fault: (run: Run) => void): Mutant =>
  mutant("program", name, what, (backend) =>
    forward(backend, {
      prepareProgram(program) {
        const inner = prepared(backend, program);
        return {
          bind(bound, batch, shared) {
            const real = inner.bind(bound, batch, shared);
            const get = (buffer: DeviceBuffer): Float32Array => {
              const data = new Float32Array(buffer.length);
              backend.readSync!(buffer, data, 0);
              return data;
            };
            return {
              run: (steps, parity) =>
                fault({
                  program, steps, batch, parity, get,
                  put: (buffer, data) => backend.write(buffer, data, 0),
                  shared: (index, which = 0) => shared.get(index)![shared.get(index)!.length === 2 ? (which ^ parity) : 0]!,
                  run: (n = steps, p = parity) => real.run(n, p),
                }), // prettier-ignore
              dispose: () => real.dispose(),
            };
          },
        };
      },
    }),
  );

/** Other values in a shared buffer while the program runs. */
const shadowFault = (
  name: string,
  what: string,
  change: (data: Float32Array, name: string, spec: BufferSpec, run: Run) => Float32Array | undefined,
  role: "parameter" | "input" = "parameter",
): Mutant =>
  runFault(name, what, (run) => {
    const table = role === "parameter" ? run.program.parameters : run.program.inputs;
    const restore: (() => void)[] = [];
    // A fault sees the parameters as they were, also where it looks at two of them.
    for (const [key, index] of Object.entries(table)) {
      const buffer = run.shared(index);
      const data = run.get(buffer);
      const changed = change(data.slice(), key, run.program.buffers[index]!, run);
      if (!changed) continue;
      restore.push(() => run.put(buffer, data));
      run.put(buffer, changed);
    }
    run.run();
    restore.forEach((r) => r());
  });

/** Swap two blocks of rows. */
function swapRows(data: Float32Array, block: number, i: number, j: number): Float32Array {
  const out = data.slice();
  out.set(data.subarray(i * block, (i + 1) * block), j * block);
  out.set(data.subarray(j * block, (j + 1) * block), i * block);
  return out;
}

/** How many gates a stacked matrix has: as many as its cell has biases. */
function gatesOf(program: Program, name: string): number {
  const bias = program.parameters[name.replace(/\.[^.]+$/, ".b")];
  return bias === undefined ? 1 : (program.buffers[bias]!.rows as number);
}

const isU = (name: string): boolean => name.endsWith(".U");
const zeros = (data: Float32Array): Float32Array => data.fill(0);

const half = (v: number): number => {
  // float16: 11 bits of precision
  if (v === 0 || !Number.isFinite(v)) return v;
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(v))) - 10);
  return Math.round(v / ulp) * ulp;
};

const weights: readonly Mutant[] = [
  shadowFault(
    "gates swapped",
    "takes the second gate's weights for the first and the other way round",
    (data, name, spec, { program }) => {
      const gates = gatesOf(program, name);
      return /\.[WUb]$/.test(name) && gates > 1
        ? swapRows(data, ((spec.rows as number) / gates) * spec.width, 0, 1)
        : undefined;
    },
  ),
  shadowFault(
    "gates of U swapped",
    "takes the recurrent weights of the first two gates for each other",
    (data, name, spec, { program }) => {
      const gates = gatesOf(program, name);
      return isU(name) && gates > 1
        ? swapRows(data, ((spec.rows as number) / gates) * spec.width, 0, 1)
        : undefined;
    },
  ),
  shadowFault("U transposed", "applies Uᵀ", (data, name, { width }) => {
    if (!isU(name)) return undefined;
    const block = width * width;
    return data.length % block === 0
      ? data.map(
          (_, i) =>
            data[Math.floor(i / block) * block + (i % width) * width + Math.floor((i % block) / width)]!,
        )
      : undefined;
  }),
  shadowFault("recurrent bias dropped", "forgets the bias inside the reset", (data, name) =>
    name.endsWith(".d") ? zeros(data) : undefined,
  ),
  shadowFault("bias dropped", "forgets the last gate's bias", (data, name, { rows, width }) =>
    name.endsWith(".b") ? data.fill(0, ((rows as number) - 1) * width) : undefined,
  ),
  shadowFault("forget bias of 1", "adds 1 to the second gate's bias", (data, name, { rows, width }) =>
    name.endsWith(".b") && (rows as number) > 1
      ? data.map((v, i) => (Math.floor(i / width) === 1 ? v + 1 : v))
      : undefined,
  ),
  shadowFault(
    "one direction's weights for both",
    "uses the forward weights in the reverse direction",
    (_data, name, _, run) => {
      const other = run.program.parameters[name.replace(".reverse.", ".")];
      return name.includes(".reverse.") && other !== undefined ? run.get(run.shared(other)) : undefined;
    },
  ),
  shadowFault(
    "peepholes swapped",
    "takes the input gate's peephole for the forget gate's and the other way round",
    (data, name, { width }) => (name.endsWith(".p") ? swapRows(data, width, 0, 1) : undefined),
  ),
  shadowFault("no output peephole", "forgets the output gate's peephole", (data, name, { width }) =>
    name.endsWith(".p") ? data.fill(0, 2 * width) : undefined,
  ),
  shadowFault("float16 weights", "rounds the weights to float16", (data, name) =>
    /\.[WU]$/.test(name) ? data.map(half) : undefined,
  ),
];

const stateOf = (name: string): RegExp => new RegExp(`^[^d].*\\.${name}$`);
/** Change the states before the first step, in the pair and in the history. */
function changeInitial(run: Run, which: RegExp, change: (data: Float32Array) => Float32Array): void {
  for (const { name, buffer, history, reverse } of run.program.states) {
    if (!which.test(name)) continue;
    const current = run.shared(buffer);
    const values = change(run.get(current));
    run.put(current, values);
    if (!history) continue;
    const { width } = run.program.buffers[history.buffer]!;
    const all = run.get(run.shared(history.buffer));
    const from = (reverse ? run.steps : 0) * run.batch * width;
    values.forEach(
      (v, i) =>
        (all[from + Math.floor(i / history.width) * width + history.column + (i % history.width)] = v),
    );
    run.put(run.shared(history.buffer), all);
  }
}

const states: readonly Mutant[] = [
  runFault("initial h ignored", "starts from h = 0", (run) => {
    changeInitial(run, stateOf("h"), zeros);
    run.run();
  }),
  runFault("initial c ignored", "starts from c = 0", (run) => {
    changeInitial(run, stateOf("c"), zeros);
    run.run();
  }),
  runFault("gradient of the final state ignored", "starts back-propagation from 0", (run) => {
    changeInitial(run, /^d\./, zeros);
    run.run();
  }),
  runFault("parity forgotten", "always takes the first buffer of a pair for the current state", (run) =>
    run.run(run.steps, 0),
  ),
  runFault(
    "odd numbers of steps",
    "leaves the final state in the wrong buffer after an odd number of steps",
    (run) => {
      run.run();
      if (run.steps % 2 === 0) return;
      for (const { buffer } of run.program.states) {
        const [a, b] = [run.shared(buffer, 0), run.shared(buffer, 1)];
        const [va, vb] = [run.get(a), run.get(b)];
        run.put(a, vb);
        run.put(b, va);
      }
    },
  ),
  runFault(
    "final state of the reverse direction",
    "gives the initial state of a reverse loop for its final one",
    (run) => {
      const initial = run.program.states.map(({ buffer }) => run.get(run.shared(buffer)));
      run.run();
      run.program.states.forEach(({ reverse, buffer, name }, i) => {
        if (reverse && !name.startsWith("d."))
          run.put(run.shared(buffer, (run.steps % 2) as 0 | 1), initial[i]!);
      });
    },
  ),
  runFault("last step dropped", "stops one step early", (run) => {
    run.run(run.steps - 1);
    for (const { buffer } of run.program.states) {
      const [last, after] = run.steps % 2 === 0 ? [1, 0] : [0, 1];
      run.put(run.shared(buffer, after as 0 | 1), run.get(run.shared(buffer, last as 0 | 1)));
    }
  }),
];

const masks: readonly Mutant[] = [
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

function mapSections(program: Program, change: (section: Section) => Section): Program {
  return { ...program, sections: program.sections.map(change) };
}
const mapLaunches = (
  program: Program,
  change: (launch: Launch, section: Section, kind: "rows" | "loop") => Launch,
): Program =>
  mapSections(program, (section) => ({
    ...section,
    parts: section.parts.map((part) => ({
      ...part,
      launches: part.launches.map((l) => change(l, section, part.kind)),
    })),
  }));

/** Read 0 for a state of the adjoint, instead of what it carries. */
function cutCarried(program: Program, which: RegExp): Program {
  const cut = new Set(program.states.filter((s) => which.test(s.name)).map((s) => s.buffer));
  if (cut.size === 0) return program;
  const zero: Operand = {
    buffer: program.buffers.length,
    column: 0,
    width: 1,
    row: 0,
    repeatRow: true,
    repeatColumn: true,
    shift: 0,
  };
  const buffers: BufferSpec[] = [
    ...program.buffers,
    { name: "0", role: "constant", rows: 1, width: 1, slots: 1, data: [0] },
  ];
  const changed = mapLaunches(program, (launch) =>
    launch.kernel.op === "map"
      ? {
          ...launch,
          inputs: launch.inputs.map((o) => (o.pair === "current" && cut.has(o.buffer) ? zero : o)),
        }
      : launch,
  );
  return { ...changed, buffers };
}

const gradients: readonly Mutant[] = [
  programFault("no gradient through h", "forgets that the loss of later steps depends on h", (program) =>
    cutCarried(program, /^d\..*\.h$/),
  ),
  programFault("no gradient through c", "forgets that the loss of later steps depends on c", (program) =>
    cutCarried(program, /^d\..*\.c$/),
  ),
  programFault("one gate's gradient", "forgets one gate's share in the gradient of the state", (program) => {
    const carried = new Set(program.states.filter((s) => s.name.startsWith("d.")).map((s) => s.buffer));
    return mapLaunches(program, (launch) => {
      const { kernel, outputs } = launch;
      if (kernel.op !== "gemm" || kernel.terms.length < 2 || !outputs.some((o) => carried.has(o.buffer)))
        return launch;
      return { ...launch, kernel: { ...kernel, terms: kernel.terms.slice(1) } };
    });
  }),
  programFault(
    "gradient with the state after the step",
    "dU sums δ with the state after the step instead of before it",
    (program) =>
      mapLaunches(program, (launch, { kind }) =>
        kind !== "whole"
          ? launch
          : {
              ...launch,
              inputs: launch.inputs.map((o) =>
                program.buffers[o.buffer]!.slots === "steps+1" ? { ...o, shift: o.shift === 0 ? 1 : 0 } : o,
              ),
            },
      ),
  ),
];

/** n = tanh(W·x + r ∘ (U·h + d)) becomes tanh(W·x + U·(r ∘ h) + d), in a GRU's loop. */
function resetBefore(program: Program): Program {
  const { buffers } = program;
  const added: BufferSpec[] = [...buffers];
  const add = (name: string, width: number): Operand => ({
    buffer: added.push({ name, role: "value", rows: "batch", width, slots: 1 }) - 1, column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0,
  }); // prettier-ignore

  const change = (launches: readonly Launch[]): Launch[] =>
    launches.flatMap((launch) => {
      const { kernel, inputs } = launch;
      const d = inputs.findIndex((o) => buffers[o.buffer]!.name.endsWith(".d"));
      const h = inputs.findIndex((o) => o.pair === "current");
      const gemm = launches.find(
        (l) => l.kernel.op === "gemm" && l.inputs.some((o) => isU(buffers[o.buffer]!.name)),
      );
      if (kernel.op !== "map" || d < 0 || h < 0 || !gemm || gemm.kernel.op !== "gemm") return [launch];
      const { width } = kernel;
      const n = inputs.findIndex((o) => o.buffer === gemm.outputs[0]!.buffer && o.column === 2 * width);
      const sum = kernel.instructions.findIndex(
        (i) => i.fn === "plus" && [d, n].every((k) => i.args.some((a) => "input" in a && a.input === k)),
      );
      const product = kernel.instructions.find(
        (i) => i.fn === "times" && i.args.some((a) => "result" in a && a.result === sum),
      );
      const reset = product?.args.find((a) => "result" in a && a.result !== sum);
      const U = gemm.inputs.find((o) => isU(buffers[o.buffer]!.name));
      if (n < 0 || !product || !reset || !("result" in reset) || !U) return [launch];
      const [gated, through] = [add("r∘h", width), add("U·(r∘h)", width)];
      return [
        { ...launch, label: "r∘h", outputs: [gated], kernel: { ...kernel, instructions: [...kernel.instructions.slice(0, reset.result + 1), { fn: "times", args: [reset, { input: h }] }], outputs: [reset.result + 1] } },
        { ...gemm, label: "U·(r∘h)", inputs: [gated, { ...U, row: U.row + 2 * width }], outputs: [through], kernel: { ...gemm.kernel, addend: false, width, terms: [{ a: 0, b: 1, transposeA: false, transposeB: true, depth: width }] } },
        { ...launch, inputs: inputs.map((o, i) => (i === n ? through : o)), kernel: { ...kernel, instructions: kernel.instructions.map((i) => (i === product ? { fn: "copy", args: [{ result: sum }] } : i)) } },
      ]; // prettier-ignore
    });
  const changed = mapSections(program, (section) => ({
    ...section,
    parts: section.parts.map((part) =>
      part.kind === "loop" ? { ...part, launches: change(part.launches) } : part,
    ),
  }));
  return { ...changed, buffers: added };
}

const equations: readonly Mutant[] = [
  programFault(
    "reset before instead of after",
    "applies the GRU's reset to h before the product",
    resetBefore,
    { projection: "before" },
  ),
  programFault("reset ignored", "takes h where the reset times h is meant", (program) =>
    mapLaunches(program, (launch, _, kind) => {
      const { kernel } = launch;
      if (kind !== "loop" || kernel.op !== "map" || kernel.instructions.length !== 2) return launch;
      const [gate, product] = kernel.instructions as [Instruction, Instruction];
      if (gate.fn !== "sigmoid" || product.fn !== "times") return launch;
      return {
        ...launch,
        kernel: {
          ...kernel,
          instructions: [gate, { fn: "copy", args: [product.args.find((a) => "input" in a)!] }],
        },
      };
    }),
  ),
];

export const programMutants: readonly Mutant[] = [
  ...weights,
  ...states,
  ...masks,
  ...gradients,
  ...equations,
];
