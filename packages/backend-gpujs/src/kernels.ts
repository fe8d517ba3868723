/** gpu.js's kernels: compiled once for each text, launched, and never by another mode than the one asked for. */
import type { Counters } from "./counters.ts";
import { helpers, WHOLE } from "./dialect.ts";
import { fail } from "./errors.ts";
import { modeOf, resultsOf, type ArgumentType, type Gpu, type Mode, type Output, type Outputs, type RunKernel } from "./gpujs.ts"; // prettier-ignore
import type { Source } from "./source.ts";

type Run = RunKernel<Output | Outputs>;

export interface Program {
  readonly source: Source;
  readonly run: Run;
  output: string;
}

/** gpu.js stops a loop without a constant bound there; nothing that kernels read is longer. */
const LONGEST_LOOP = 2 ** 28;

export class Kernels {
  readonly #programs = new Map<string, Program>();

  /**
   * @param counters its device's
   * @param numbers how gpu.js is given the numbers of an input
   * @param pipeline whether results stay where they are
   */
  constructor(
    readonly gpu: Gpu,
    readonly mode: Mode,
    readonly counters: Counters,
    readonly numbers: ArgumentType,
    readonly pipeline: boolean,
  ) {
    for (const { name, source } of helpers)
      gpu.addFunction(source, {
        argumentTypes: Object.fromEntries(parameters(source, name).map((p) => [p, "Float"])),
        returnType: "Float",
      });
    gpu.addFunction(WHOLE, { argumentTypes: { x: "Float" }, returnType: "Integer" });
  }

  create({ text, types, inputs, subKernels }: Source): Run {
    const numbers = Object.fromEntries(inputs.map((name) => [name, this.numbers]));
    const settings = {
      output: [1, 2],
      argumentTypes: { ...types, ...numbers },
      pipeline: this.pipeline,
      immutable: false,
      precision: "single",
      tactic: "precision",
      dynamicOutput: true,
      dynamicArguments: true,
      loopMaxIterations: LONGEST_LOOP,
      fixIntegerDivisionAccuracy: false,
    } as const;
    return Object.keys(subKernels).length > 0
      ? this.gpu.createKernelMap(subKernels, text, settings)
      : this.gpu.createKernel(text, settings);
  }

  /** A kernel that makes the context, if there is none, and owns what isn't a kernel's result as far as gpu.js asks. */
  owner(): object {
    return this.create({ text: "function () { return 0.0; }", subKernels: {}, types: {}, inputs: [], constants: [] }).kernel; // prettier-ignore
  }

  /** Compiled once for each text. */
  program(source: Source): Program {
    let program = this.#programs.get(source.text);
    if (!program) {
      program = { source, run: this.create(source), output: "" };
      this.#programs.set(source.text, program);
      this.counters.compiled++;
    }
    return program;
  }

  /** @returns the results, which last until the program runs again */
  launch(program: Program, output: readonly number[], args: readonly unknown[]): Output[] {
    const { run, source } = program;
    const shape = output.join();
    if (program.output !== shape) {
      run.setOutput(output);
      program.output = shape;
    }
    const found = run(...args);
    this.counters.launches++;
    if (run.kernel.constructor !== this.gpu.Kernel) this.#fellBack(run);
    return resultsOf(found, Object.keys(source.subKernels));
  }

  /** gpu.js goes on with its CPU where a kernel doesn't compile. */
  #fellBack({ kernel, fallbackReason }: Run): void {
    fail(
      "UNSUPPORTED",
      `gpujs(${this.mode}): gpu.js fell back to ${modeOf(kernel.constructor)} (${fallbackReason ?? "it doesn't say why"})`,
    );
  }

  dispose(): void {
    this.#programs.clear();
    void this.gpu.destroy();
  }
}

/** Names of a function's parameters. */
const parameters = (source: string, name: string): readonly string[] =>
  source.slice(`function ${name}(`.length, source.indexOf(")")).split(", ");
