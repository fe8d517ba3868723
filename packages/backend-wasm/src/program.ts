/** Whole programs: bound once to sizes and buffers, written down in the device's memory, and walked there. */
import type {
  BoundProgram, BufferSpec, DeviceBuffer, GemmKernel, Launch, Operand as Part, PreparedProgram, Program, Section,
} from "@recurra/core"; // prettier-ignore
import type { Engine } from "./engine.ts";
import type { Bound, Operand } from "./launch.ts";
import type { Memory, WasmBuffer } from "./memory.ts";
import type { Format } from "./format.ts";
import { PANEL } from "./engine/tile.ts";
import { GEMM8, type Places } from "./module.ts";
import { Packs } from "./packs.ts";
import { Script, type ScriptPart } from "./script.ts";
import { simplify, type PlaceOf, type Simple } from "./simple.ts";
import type { Team } from "./team.ts";
import type { Exports } from "./webassembly.ts";

/** Rows before and after a loop are computed for so many at once: whole tiles, which stay in the second cache. */
const CHUNK_ROWS = 64;

/** Steps of a chunk, a power of 2: slots are found by masking. */
function chunkOf(steps: number, batch: number): number {
  let chunk = 1;
  while (chunk * batch < CHUNK_ROWS && chunk < Math.min(steps, CHUNK_ROWS)) chunk *= 2;
  return chunk;
}

/** A launch's simple kernels, with their places in the module's table. */
interface Planned {
  readonly launch: Launch;
  readonly simple: readonly Simple[];
}
interface PlannedPart {
  readonly loop: boolean;
  readonly planned: readonly Planned[];
}
interface PlannedSection {
  readonly kind: Section["kind"];
  readonly parts: readonly PlannedPart[];
}

interface PlannedProgram {
  readonly sections: readonly PlannedSection[];
  /** States that are kept at every step: first, a copy of each; as loops, since a state is one of a pair. */
  readonly histories: readonly { readonly reverse: boolean; readonly parts: readonly PlannedPart[] }[];
}

/** Find a program's kernels in a module, or collect them for one. */
export function planProgram(program: Program, placeOf: PlaceOf): PlannedProgram {
  const plan = (launch: Launch): Planned => {
    const repeated = [...launch.inputs, ...launch.outputs].map((o) => o.repeatColumn);
    return { launch, simple: simplify(launch.kernel, repeated, placeOf) };
  };
  return {
    histories: program.states.flatMap(({ buffer, reverse, history }) =>
      history ? [{ reverse, parts: [{ loop: true, planned: [plan(copyOf(buffer, history))] }] }] : [],
    ),
    sections: program.sections.map(({ kind, parts }) => ({
      kind,
      parts: parts.map((part) => ({ loop: part.kind === "loop", planned: part.launches.map(plan) })),
    })),
  };
}

/**
 * Compile a program's equations. Sizes come when it is bound.
 * @param int8 how matrices of parameters are held, where not in float32
 */
export function prepareProgram(engine: Engine, program: Program, int8?: Format): PreparedProgram {
  const places = engine.places();
  const planned = planProgram(program, places.of);
  const exports = engine.instance(places);
  return {
    bind: (steps, batch, shared) =>
      new Walked(engine, places, exports, program, planned, int8, steps, batch, shared),
  };
}

const copyOf = (state: number, history: Part): Launch => ({
  kernel: {
    op: "map",
    width: history.width,
    inputs: 1,
    instructions: [{ fn: "copy", args: [{ input: 0 }] }],
    outputs: [0],
  },
  rows: "batch",
  inputs: [{ ...history, buffer: state, column: 0, shift: 0, pair: "current" }],
  outputs: [history],
  label: "copy",
});

class Walked implements BoundProgram {
  readonly #chunk: number;
  readonly #buffers: (readonly WasmBuffer[])[] = [];
  readonly #owned: WasmBuffer[] = [];
  readonly #packs: Packs;
  readonly memory: Memory;
  readonly threads: boolean;
  readonly #script: Script;
  /** Where there are threads, and enough to do for them. */
  readonly #team: Team | undefined;
  /** Launches whose tables have a row for every row of the sequence. */
  readonly #tables: Bound[] = [];
  readonly #written: WasmBuffer[] = [];
  #steps = -1;

  constructor(
    engine: Engine,
    places: Places,
    readonly exports: Exports,
    readonly program: Program,
    readonly planned: PlannedProgram,
    readonly int8: Format | undefined,
    readonly most: number,
    readonly batch: number,
    shared: ReadonlyMap<number, readonly DeviceBuffer[]>,
  ) {
    const { memory, relaxed } = engine;
    this.memory = memory;
    this.threads = engine.crew !== undefined;
    this.#chunk = chunkOf(most, batch);
    this.#packs = new Packs(memory, exports, relaxed);
    try {
      program.buffers.forEach((spec, i) => {
        this.#buffers.push((shared.get(i) as readonly WasmBuffer[] | undefined) ?? [this.#allocate(spec, i)]);
      });
      const sections = [
        ...planned.histories.map(({ parts }) => this.#bind(parts, "forward")),
        ...planned.sections.map(({ kind, parts }) => this.#bind(parts, kind)),
      ];
      this.#script = new Script(memory, sections);
      this.#team = engine.crew?.bind({
        program, exports, batch, script: this.#script, bytes: () => engine.bytes(places), barrier: places.end,
        sections: sections.map((parts, i) => {
          const kind = planned.sections[i - planned.histories.length]?.kind;
          const steps = kind === undefined ? 1 : kind === "whole" ? most : this.#chunk;
          return { parts, reverse: kind === "reverse", steps, most: kind === undefined ? 1 : most };
        }),
      }); // prettier-ignore
    } catch (error) {
      this.#free();
      throw error;
    }
  }

  /** From row to row. What only gemms and maps see gets room for whole tiles; buffers that others share are as they are. */
  #stride(index: number): number {
    const { role, slots, width } = this.program.buffers[index]!;
    return role === "value" && width > 8 && (slots === 1 || slots === "chunk")
      ? Math.ceil(width / PANEL) * PANEL
      : width;
  }

  #slotSize(index: number): number {
    const { rows } = this.program.buffers[index]!;
    return (rows === "batch" ? this.batch : rows) * this.#stride(index);
  }

  #allocate(spec: BufferSpec, index: number): WasmBuffer {
    const { slots } = spec;
    const count =
      slots === "steps"
        ? this.most
        : slots === "steps+1"
          ? this.most + 1
          : slots === "chunk"
            ? this.#chunk
            : slots;
    const buffer = this.memory.alloc(Math.max(1, this.#slotSize(index)) * Math.max(1, count));
    this.#owned.push(buffer);
    if (spec.data) this.memory.write(buffer, Float32Array.from(spec.data), 0);
    return buffer;
  }

  #bind(parts: readonly PlannedPart[], kind: Section["kind"]): ScriptPart[] {
    return parts.map(({ loop, planned }) => {
      const steps = loop ? 1 : kind === "whole" ? this.most : this.#chunk;
      const all = (parity: number): Bound[] => planned.flatMap((p) => this.#launches(p, steps, parity));
      return { loop, launches: [all(0), loop ? all(1) : []] };
    });
  }

  #launches({ launch, simple }: Planned, steps: number, parity: number): Bound[] {
    const views = [...launch.inputs, ...launch.outputs];
    const { batch } = this;
    for (const { buffer } of launch.outputs)
      if (this.program.buffers[buffer]!.role === "parameter") this.#written.push(this.#buffers[buffer]![0]!);
    return simple.map(({ kernel, refs, place, rows: own = launch.rows }): Bound => {
      const [rows, rowsPerStep] = own === "steps" ? [0, batch] : [own === "batch" ? batch : own, 0];
      const table =
        kernel.op === "scatterAdd" ? kernel.tableRows : kernel.op === "gather" ? this.#rowsOf(views[0]!) : 0;
      const operands = refs.map((ref) =>
        typeof ref === "number" ? this.#operand(views[ref]!, parity) : ref,
      );
      const int8 =
        kernel.op === "gemm" && this.int8 && this.#inInt8(kernel, refs, views) ? this.int8 : undefined;
      const most = rows + steps * rowsPerStep;
      // Threads cut matrices between panels.
      const alone = most === 1 && !int8 && !this.threads;
      const bound: Bound = {
        kernel,
        launch,
        place: int8 ? GEMM8 : place,
        rows,
        rowsPerStep,
        most,
        operands,
        tableRows: table === "steps" ? 0 : table,
        ...(kernel.op === "gemm" && {
          room: this.#room(views.at(-1)!, kernel.width),
          ...this.#packed(kernel, views[refs[1] as number]!, operands[1] as Operand, alone, int8),
          int8,
        }),
      };
      if (table === "steps") this.#tables.push(bound);
      return bound;
    });
  }

  /** Columns that a tile may write to: those behind the last, where nothing else lies there. */
  #room(out: Part, width: number): number {
    const spec = this.program.buffers[out.buffer]!;
    return out.column + width === spec.width ? this.#stride(out.buffer) - out.column : width;
  }

  #rowsOf({ buffer }: Part): number | "steps" {
    const { rows } = this.program.buffers[buffer]!;
    return rows === "batch" ? "steps" : rows;
  }

  /** Rows by a matrix of parameters, stored [out, in]: each of its rows has one scale. */
  #inInt8({ terms }: GemmKernel, refs: Simple["refs"], views: readonly Part[]): boolean {
    const [left, right] = refs.map((ref) => views[ref as number]!);
    const { role } = this.program.buffers[right!.buffer]!;
    return terms[0]!.transposeB && role === "parameter" && !left!.repeatColumn;
  }

  /** A parameter is packed ahead of time. */
  #packed(
    kernel: GemmKernel,
    right: Part,
    at: Operand,
    abreast: boolean,
    int8: Format | undefined,
  ): Pick<Bound, "packed" | "abreast"> {
    const { depth, transposeB } = kernel.terms[0]!;
    if (this.program.buffers[right.buffer]!.role !== "parameter" || depth === "rows") return {};
    const [depthStride, columnStride] = transposeB ? [at.column, at.row] : [at.row, at.column];
    const matrix = { from: at.base, depthStride, columnStride, depth, width: kernel.width, abreast };
    return { packed: this.#packs.take(this.#buffers[right.buffer]![0]!, matrix, int8).address, abreast };
  }

  #operand(o: Part, parity: number): Operand {
    const spec = this.program.buffers[o.buffer]!;
    const pair = this.#buffers[o.buffer]!;
    const buffer = pair[o.pair === undefined ? 0 : o.pair === "current" ? parity : 1 - parity]!;
    const [stride, slot] = [this.#stride(o.buffer), this.#slotSize(o.buffer)];
    return {
      base: buffer.address + 4 * (o.column + o.row * stride + o.shift * slot),
      step: 4 * slot,
      mask: spec.slots === 1 ? 0 : spec.slots === "chunk" ? this.#chunk - 1 : -1,
      row: o.repeatRow ? 0 : 4 * stride,
      column: o.repeatColumn ? 0 : 4,
      part: o,
      block: buffer.address,
    };
  }

  run(steps: number, parity: 0 | 1): void {
    const { batch } = this;
    const { sections, histories } = this.planned;
    this.memory.check();
    this.#packs.refresh();
    if (steps !== this.#steps) {
      for (const launch of this.#tables) {
        this.#script.setTableRows(launch, steps * batch);
        this.#team?.setTableRows(launch, steps * batch);
      }
      this.#steps = steps;
    }
    if (steps > 0)
      for (let i = 0; i < histories.length; i++)
        this.#walk(i, 1, histories[i]!.reverse ? steps - 1 : 0, 1, 0, parity);
    const chunk = this.#chunk;
    for (let s = 0; s < sections.length; s++) {
      const { kind, parts } = sections[s]!;
      const at = histories.length + s;
      if (kind === "whole") this.#walk(at, parts.length, 0, steps, 0, parity);
      else if (batch === 0) continue;
      else if (kind === "forward")
        for (let first = 0; first < steps; first += chunk)
          this.#walk(at, parts.length, first, Math.min(chunk, steps - first), 0, parity + first);
      else
        for (let first = Math.floor((steps - 1) / chunk) * chunk; first >= 0; first -= chunk) {
          const count = Math.min(chunk, steps - first);
          this.#walk(at, parts.length, first, count, 1, parity + steps - first - count);
        }
    }
    this.#team?.run();
    for (let i = 0; i < this.#written.length; i++) this.#written[i]!.version++;
  }

  #walk(section: number, parts: number, first: number, steps: number, reverse: number, parity: number): void {
    if (this.#team) this.#team.walk(section, first, steps, reverse, parity);
    else this.exports.walk(this.#script.sections[section]!, parts, first, steps, reverse, parity);
  }

  #free(): void {
    this.#packs.dispose();
    for (const buffer of this.#owned.splice(0)) this.memory.free(buffer);
  }

  dispose(): void {
    this.#team?.dispose();
    this.#script.dispose();
    this.#free();
  }
}
