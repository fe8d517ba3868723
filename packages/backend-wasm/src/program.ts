/** Whole programs: bound once to sizes and buffers, written down in the device's memory, and walked there. */
import type {
  BoundProgram, BufferSpec, DeviceBuffer, GemmKernel, Launch, Operand as Part, PreparedProgram, Program, Section,
} from "@recurra/core"; // prettier-ignore
import type { Engine } from "./engine.ts";
import type { Bound, Operand } from "./launch.ts";
import type { WasmBuffer } from "./memory.ts";
import type { Format } from "./format.ts";
import { PANEL } from "./engine/tile.ts";
import { GEMM8, type Places } from "./module.ts";
import { packsOf } from "./packs.ts";
import { writeScript, type ScriptPart } from "./script.ts";
import { copyOf, simplify, type PlaceOf, type Simple } from "./simple.ts";
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
interface PlannedSection {
  /** first: a state that is kept at every step has its first value copied there. */
  readonly kind: Section["kind"] | "first";
  readonly reverse: boolean;
  readonly parts: readonly { readonly loop: boolean; readonly planned: readonly Planned[] }[];
}

/** Find a program's kernels in a module, or collect them for one. */
export function planProgram(program: Program, placeOf: PlaceOf): readonly PlannedSection[] {
  const plan = (launch: Launch): Planned => {
    const repeated = [...launch.inputs, ...launch.outputs].map((o) => o.repeatColumn);
    return { launch, simple: simplify(launch.kernel, repeated, placeOf) };
  };
  return [
    ...program.states.flatMap(({ buffer, reverse, history }): PlannedSection[] =>
      // As a loop, since a state is one of a pair.
      history
        ? [{ kind: "first", reverse, parts: [{ loop: true, planned: [plan(keep(buffer, history))] }] }]
        : [],
    ),
    ...program.sections.map(({ kind, parts }) => ({
      kind,
      reverse: kind === "reverse",
      parts: parts.map((part) => ({ loop: part.kind === "loop", planned: part.launches.map(plan) })),
    })),
  ];
}

const keep = (state: number, history: Part): Launch => ({
  kernel: copyOf(history.width),
  rows: "batch",
  inputs: [{ ...history, buffer: state, column: 0, shift: 0, pair: "current" }],
  outputs: [history],
});

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
      bindProgram(engine, places, exports, program, planned, int8, steps, batch, shared),
  };
}

function bindProgram(
  engine: Engine,
  places: Places,
  exports: Exports,
  program: Program,
  planned: readonly PlannedSection[],
  int8: Format | undefined,
  most: number,
  batch: number,
  shared: ReadonlyMap<number, readonly DeviceBuffer[]>,
): BoundProgram {
  const { memory, crew } = engine;
  const specs = program.buffers;
  const chunk = chunkOf(most, batch);
  const packs = packsOf(memory, exports, engine.relaxed);
  const buffers: (readonly WasmBuffer[])[] = [];
  const owned: WasmBuffer[] = [];
  const written: WasmBuffer[] = [];
  /** Launches whose tables have a row for every row of the sequence. */
  const tables: Bound[] = [];

  /**
   * From row to row. What only gemms and maps see gets room for whole tiles; buffers that others share are as they are. Rows that lie
   * apart by a multiple of 2 kB share a few places of the caches, and a tile's would push each other out: so those get another line.
   */
  const strideOf = ({ role, slots, width }: BufferSpec): number => {
    if (role !== "value" || width <= 8) return width;
    if (width % 512 === 0) return width + 16;
    return slots === 1 || slots === "chunk" ? Math.ceil(width / PANEL) * PANEL : width;
  };

  const slotSize = (spec: BufferSpec): number => (spec.rows === "batch" ? batch : spec.rows) * strideOf(spec);

  const allocate = (spec: BufferSpec): WasmBuffer => {
    const { slots } = spec;
    const count = { 1: 1, steps: most, "steps+1": most + 1, chunk }[slots];
    const buffer = memory.alloc(slotSize(spec) * count);
    owned.push(buffer);
    if (spec.data) memory.write(buffer, Float32Array.from(spec.data), 0);
    return buffer;
  };

  const operandOf = (o: Part, parity: number): Operand => {
    const spec = specs[o.buffer]!;
    const which = o.pair === undefined ? 0 : o.pair === "current" ? parity : 1 - parity;
    const { address } = buffers[o.buffer]![which]!;
    const [stride, slot] = [strideOf(spec), slotSize(spec)];
    return {
      base: address + 4 * (o.column + o.row * stride + o.shift * slot),
      step: 4 * slot,
      mask: spec.slots === 1 ? 0 : spec.slots === "chunk" ? chunk - 1 : -1,
      row: o.repeatRow ? 0 : 4 * stride,
      column: o.repeatColumn ? 0 : 4,
      part: o,
      block: address,
    };
  };

  /** What a gemm is bound with besides. */
  const bindGemm = (
    { terms, width }: GemmKernel,
    rows: number,
    left: Part,
    right: Part,
    at: Operand,
    out: Part,
  ): Partial<Bound> => {
    const { depth, transposeB } = terms[0]!;
    const spec = specs[out.buffer]!;
    // Columns that a tile may write to: those behind the last, where nothing else lies there.
    const room = out.column + width === spec.width ? strideOf(spec) - out.column : width;
    // A parameter is packed ahead of time.
    if (specs[right.buffer]!.role !== "parameter" || depth === "rows") return { room };
    // Rows by a matrix that is stored [out, in]: each of its rows has one scale.
    const format = transposeB && !left.repeatColumn ? int8 : undefined;
    const abreast = rows > 1 || format ? 0 : (crew?.abreast(engine.relaxed, depth, width) ?? 1);
    const [depthStride, columnStride] = transposeB ? [at.column, at.row] : [at.row, at.column];
    const matrix = { from: at.base, depthStride, columnStride, depth, width, abreast };
    const packed = packs.take(buffers[right.buffer]![0]!, matrix, format);
    return { room, packed, abreast, ...(format && { int8: format, place: GEMM8 }) };
  };

  const bindLaunch = ({ launch, simple }: Planned, steps: number, parity: number): Bound[] => {
    const views = [...launch.inputs, ...launch.outputs];
    for (const { buffer } of launch.outputs)
      if (specs[buffer]!.role === "parameter") written.push(buffers[buffer]![0]!);
    return simple.map(({ kernel, refs, place, rows: own = launch.rows }) => {
      const [rows, rowsPerStep] = own === "steps" ? [0, batch] : [own === "batch" ? batch : own, 0];
      const operands = refs.map((ref) => (typeof ref === "number" ? operandOf(views[ref]!, parity) : ref));
      const all = rows + steps * rowsPerStep;
      const [left, right] = refs.map((ref) => views[ref as number]!) as [Part, Part];
      const table =
        kernel.op === "scatterAdd" ? kernel.tableRows : kernel.op === "gather" ? specs[left.buffer]!.rows : 0;
      const bound: Bound = {
        kernel,
        launch,
        place,
        rows,
        rowsPerStep,
        most: all,
        operands,
        tableRows: typeof table === "number" ? table : 0,
        ...(kernel.op === "gemm" &&
          bindGemm(kernel, all, left, right, operands[1] as Operand, views.at(-1)!)),
      };
      // A row for every row of the sequence: how many that is, each call says.
      if (typeof table === "string") tables.push(bound);
      return bound;
    });
  };

  const free = (): void => {
    packs.dispose();
    for (const buffer of owned.splice(0)) memory.free(buffer);
  };

  const write = () => {
    try {
      specs.forEach((spec, i) => {
        buffers.push((shared.get(i) as readonly WasmBuffer[] | undefined) ?? [allocate(spec)]);
      });
      const sections = planned.map(({ kind, parts, reverse }) => {
        const steps = kind === "whole" ? most : kind === "first" ? 1 : chunk;
        return {
          parts: parts.map(({ loop, planned }): ScriptPart => {
            const all = (parity: number): Bound[] =>
              planned.flatMap((p) => bindLaunch(p, loop ? 1 : steps, parity));
            return { loop, launches: [all(0), loop ? all(1) : []] };
          }),
          reverse,
          steps,
          most: kind === "first" ? 1 : most,
        };
      });
      const script = writeScript(
        memory,
        sections.map(({ parts }) => parts),
      );
      const bytes = (): Uint8Array => engine.bytes(places);
      const task = { program, exports, batch, script, bytes, barrier: places.end(), sections };
      return { script, team: crew?.bind(task) };
    } catch (error) {
      free();
      throw error;
    }
  };

  /** Team: where there are threads, and enough to do for them. */
  const { script, team } = write();
  let known = -1;

  const walk = (section: number, first: number, steps: number, reverse: number, parity: number): void => {
    if (team) team.walk(section, first, steps, reverse, parity);
    else
      exports.walk(
        script.sections[section]!, planned[section]!.parts.length, first, steps, reverse, parity,
      ); // prettier-ignore
  };

  return {
    run(steps, parity) {
      memory.check();
      packs.refresh();
      if (steps !== known)
        for (const launch of tables) {
          script.setTableRows(launch, steps * batch);
          team?.setTableRows(launch, steps * batch);
        }
      known = steps;
      for (let s = 0; s < planned.length; s++) {
        const { kind, reverse } = planned[s]!;
        if (kind === "whole") walk(s, 0, steps, 0, parity);
        else if (kind === "first") walk(s, reverse ? steps - 1 : 0, Math.min(steps, 1), 0, parity);
        else
          for (let c = Math.ceil(steps / chunk), i = 0; i < c && batch > 0; i++) {
            const first = chunk * (reverse ? c - 1 - i : i);
            const count = Math.min(chunk, steps - first);
            walk(s, first, count, +reverse, parity + (reverse ? steps - first - count : first));
          }
      }
      team?.run();
      for (let i = 0; i < written.length; i++) written[i]!.version++;
    },
    dispose() {
      team?.dispose();
      script.dispose();
      free();
    },
  };
}
