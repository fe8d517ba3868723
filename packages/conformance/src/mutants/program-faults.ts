/** The tools to make a mutant that runs whole programs wrong: another program, or other values around a run. */
import {
  interpret,
  type Backend,
  type BufferSpec,
  type DeviceBuffer,
  type Launch,
  type Program,
  type Section,
} from "@recurra/core/internal";
import { forward } from "../wrap.ts";
import { mutant, type Mutant } from "./mutant.ts";

/** A fault that another program describes. */
export const programFault = (
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
export interface Run {
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

/** A fault around the run of a whole program. */
export const programRunFault = (name: string, what: string, fault: (run: Run) => void): Mutant =>
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
export const shadowFault = (
  name: string,
  what: string,
  change: (data: Float32Array, name: string, spec: BufferSpec, run: Run) => Float32Array | undefined,
  role: "parameter" | "input" = "parameter",
): Mutant =>
  programRunFault(name, what, (run) => {
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

export const isU = (name: string): boolean => name.endsWith(".U");
export const zeros = (data: Float32Array): Float32Array => data.fill(0);

export function mapSections(program: Program, change: (section: Section) => Section): Program {
  return { ...program, sections: program.sections.map(change) };
}
export const mapLaunches = (
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
