/** A module: the engine, which is the same in all of them, and a routine for each map of a program, or of many. */
import type { Kernel } from "@recurra/core";
import { Assembler, V128, type Routine } from "./assembler.ts";
import { madd } from "./instructions/v128.ts";
import { gemm } from "./engine/gemm.ts";
import { gather, reduce, scatterAdd } from "./engine/rows.ts";
import type { Format } from "./format.ts";
import { walk } from "./engine/walk.ts";
import { mapKey, mapRoutine, type EquationMap } from "./map.ts";
import { single } from "./singles.ts";
import type { Crew } from "./team.ts";

/** The engine's places in the table; maps come after them. */
const places = ["gemm", "sum", "mean", "max", "gather", "scatterAdd", "gemm8"] as const;

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

/** 64 bits of a text or of bytes: FNV-1a, twice (Fowler, Noll & Vo 1991). */
export function hash(from: string | Uint8Array): string {
  const run = (start: number): number => {
    let h = start;
    for (let i = 0; i < from.length; i++)
      h = Math.imul(h ^ (typeof from === "string" ? from.charCodeAt(i) : from[i]!), 0x01000193);
    return h >>> 0;
  };
  return run(0x811c9dc5).toString(36) + run(0x050c5d1f).toString(36);
}

/** Of the engine that this version emits, and of how it emits maps. */
export const engineKey = (relaxed: boolean): string =>
  hash(emit([{ kernel: single("copy"), repeated: [false] }], relaxed));

interface EngineRoutines {
  readonly assembler: Assembler;
  readonly walk: Routine;
}

/** The engine's routines, emitted once. */
const engines = new Map<string, EngineRoutines>();

function engine(relaxed: boolean, format: Format | undefined): EngineRoutines {
  const key = `${relaxed}${format?.name}`;
  const known = engines.get(key);
  if (known) return known;
  const assembler = new Assembler();
  const product = gemm(assembler, relaxed);
  const routines: Record<(typeof places)[number], Routine> = {
    gemm: product.gemm,
    sum: reduce(assembler, "sum"),
    mean: reduce(assembler, "mean"),
    max: reduce(assembler, "max"),
    gather: gather(assembler),
    scatterAdd: scatterAdd(assembler),
    gemm8: format?.gemm(assembler) ?? product.gemm,
  };
  for (const place of places) assembler.tabled(routines[place]);
  assembler.export("pack", product.pack);
  const made = { assembler, walk: walk(assembler) };
  assembler.export("walk", made.walk);
  engines.set(key, made);
  return made;
}

/**
 * @param extend add what threads need
 * @param format another format of weights
 * @param contents written down in it, for `Places` of another time
 */
export function emit(
  maps: readonly EquationMap[],
  relaxed: boolean,
  extend?: Crew["extend"],
  format?: Format,
  contents?: Contents,
): Uint8Array {
  const made = engine(relaxed, format);
  const assembler = made.assembler.copy();
  for (const map of maps) assembler.tabled(mapRoutine(assembler, map, relaxed));
  extend?.(assembler, made.walk);
  return assembler.bytes(contents && { name: SECTION, text: JSON.stringify(contents) });
}

/** The smallest module that shows whether an engine has what ours need. */
export function probe(relaxed: boolean): Uint8Array {
  const assembler = new Assembler();
  assembler.routine({ parameters: [V128], result: V128 }, ([x]) => madd(relaxed)(x, x, x));
  return assembler.bytes();
}

/** Where kernels lie in the table of a module that is being collected, or that was made ahead of time. */
export class Places {
  /** What is to be emitted. */
  readonly maps: EquationMap[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #fixed: boolean;

  constructor(contents?: Contents) {
    this.#fixed = contents !== undefined;
    contents?.maps.forEach((key, i) => this.#byKey.set(key, places.length + i));
  }

  /** Undefined where a module made ahead of time lacks it. */
  readonly of = (kernel: Kernel, repeated: readonly boolean[]): number | undefined => {
    if (kernel.op !== "map") return places.indexOf(kernel.op === "reduce" ? kernel.fn : kernel.op);
    const map = { kernel, repeated };
    const key = this.#fixed ? hash(mapKey(map)) : mapKey(map);
    const known = this.#byKey.get(key);
    if (known !== undefined || this.#fixed) return known;
    const place = places.length + this.maps.push(map) - 1;
    this.#byKey.set(key, place);
    return place;
  };

  /** Behind the last map: where threads have their barrier. */
  get end(): number {
    return places.length + this.#byKey.size;
  }

  /** What tells modules apart. */
  get key(): string {
    return [...this.#byKey.keys()].join("\n");
  }
}
