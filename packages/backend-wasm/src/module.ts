/** A module: the engine, which is the same in all of them, and a routine for each map of a program, or of many. */
import { Assembler, V128, type Routine } from "./assembler.ts";
import { madd } from "./instructions/v128.ts";
import { gemm } from "./engine/gemm.ts";
import { gather, reduce, scatterAdd } from "./engine/rows.ts";
import type { Format } from "./format.ts";
import { walk } from "./engine/walk.ts";
import { kept } from "./kept.ts";
import { mapKey, mapRoutine, type EquationMap } from "./map.ts";
import { copyOf, type PlaceOf } from "./simple.ts";
import type { Crew } from "./team.ts";

/** The engine's part of the table, in order; maps come after it. */
const engineTable = {
  gemm: (_: Assembler, product: Routine) => product,
  sum: (assembler: Assembler) => reduce(assembler, "sum"),
  mean: (assembler: Assembler) => reduce(assembler, "mean"),
  max: (assembler: Assembler) => reduce(assembler, "max"),
  gather,
  scatterAdd,
  gemm8: (assembler: Assembler, product: Routine, format?: Format) => format?.gemm(assembler) ?? product,
};
const places = Object.keys(engineTable);

/** The place of a gemm whose right operand is packed in int8, where that is asked for. */
export const GEMM8 = places.indexOf("gemm8");

/** The custom section in which a module made ahead of time says which maps it has, by key. */
export const SECTION = "recurra";

export interface Contents {
  /** Tells engines apart: what JavaScript writes down only the engine of the same version can read. */
  readonly engine: string;
  readonly relaxed: boolean;
  /** Hashes of the maps' keys, which are long. */
  readonly maps: readonly string[];
  /** Made for threads, which share their memory. */
  readonly threads?: boolean;
}

/** 64 bits of a text: FNV-1a, twice (Fowler, Noll & Vo 1991). */
export function hash(text: string): string {
  const run = (start: number): string => {
    let h = start;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return (h >>> 0).toString(36);
  };
  return run(0x811c9dc5) + run(0x050c5d1f);
}

/** Of the engine that this version emits, and of how it emits maps. */
export const engineKey = (relaxed: boolean): string =>
  hash(emit([{ kernel: copyOf(1), repeated: [false] }], relaxed).join());

interface EngineRoutines {
  readonly assembler: Assembler;
  readonly walk: Routine;
}

/** The engine's routines, emitted once. */
const engines = new Map<string, EngineRoutines>();

const engine = (relaxed: boolean, format: Format | undefined): EngineRoutines =>
  kept(engines, `${relaxed}${format?.name}`, () => {
    const assembler = new Assembler();
    const product = gemm(assembler, relaxed);
    for (const make of Object.values(engineTable)) assembler.tabled(make(assembler, product.gemm, format));
    assembler.export("pack", product.pack);
    const made = { assembler, walk: walk(assembler) };
    assembler.export("walk", made.walk);
    return made;
  });

/**
 * @param extend add what threads need
 * @param format another format of weights
 */
export function emit(
  maps: readonly EquationMap[],
  relaxed: boolean,
  extend?: Crew["extend"],
  format?: Format,
): Uint8Array {
  const made = engine(relaxed, format);
  const assembler = new Assembler(made.assembler);
  for (const map of maps) assembler.tabled(mapRoutine(assembler, map, relaxed));
  extend?.(assembler, made.walk);
  return assembler.bytes();
}

/** The smallest module that shows whether an engine has what ours need. */
export function probe(relaxed: boolean): Uint8Array {
  const assembler = new Assembler();
  assembler.routine(0, (_, locals) => {
    const [x] = locals(V128);
    return x.set(madd(relaxed)(x, x, x));
  });
  return assembler.bytes();
}

/** Where kernels lie in the table of a module that is being collected, or that was made ahead of time. */
export interface Places {
  /** What is to be emitted. */
  readonly maps: readonly EquationMap[];
  /** Undefined where a module made ahead of time lacks it. */
  readonly of: PlaceOf;
  /** Behind the last map: where threads have their barrier. */
  end(): number;
  /** What tells modules apart. */
  key(): string;
}

export function placesIn(contents?: Contents): Places {
  const maps: EquationMap[] = [];
  const keys = [...(contents?.maps ?? [])];
  return {
    maps,
    of(kernel, repeated) {
      if (kernel.op !== "map") return places.indexOf(kernel.op === "reduce" ? kernel.fn : kernel.op);
      const map = { kernel, repeated };
      const key = contents ? hash(mapKey(map)) : mapKey(map);
      let place = keys.indexOf(key);
      if (place < 0) {
        if (contents) return undefined;
        place = keys.push(key) - 1;
        maps.push(map);
      }
      return places.length + place;
    },
    end: () => places.length + keys.length,
    key: () => keys.join("\n"),
  };
}
