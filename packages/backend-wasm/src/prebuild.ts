/**
 * What goes into the modules that are made ahead of time: the maps of every shipped cell, as its forward pass and its gradient have
 * them, alone and within a network, with and without lengths. Run by the package's build; no page ships it.
 */
import * as core from "@recurra/core";
import type { Cell, Network, SyncBackend } from "@recurra/core";
import { customSection } from "./assembler.ts";
import { int8 } from "./format8.ts";
import { mapKey, type EquationMap } from "./map.ts";
import { emit, engineKey, hash, placesIn, SECTION, type Contents } from "./module.ts";
import { openWasm } from "./open.ts";
import { planProgram } from "./program.ts";
import { singles } from "./singles.ts";
import type { Crew } from "./team.ts";

export { extend } from "./threads/start.ts";

const isCell = (value: unknown): value is Cell =>
  typeof value === "object" && value !== null && "apply" in value && "weights" in value;

const cells: readonly Cell[] = [
  ...Object.values(core).filter(isCell),
  core.lstmp({ projectionSize: 2 }),
  core.slstm(),
  core.slstm({ forget: "exp" }),
];

const { dense, recurrent, stack } = core;
const sizes = { inputSize: 3, hiddenSize: 4 };

const networksOf = (cell: Cell): readonly Network[] => [
  stack(recurrent(cell, sizes)),
  stack(recurrent(cell, sizes), dense({ inputSize: cell.name === "lstmp" ? 2 : 4, outputSize: 2 })),
  stack(recurrent(cell, { ...sizes, bidirectional: true })),
];

/** Every map that these networks' programs have, each once. */
export async function shippedMaps(): Promise<readonly EquationMap[]> {
  const backend = await openWasm();
  const places = placesIn();
  const noting: SyncBackend = {
    ...backend,
    prepareProgram(program) {
      planProgram(program, places.of);
      return backend.prepareProgram?.(program);
    },
  };
  const x = { shape: [2, 2, 3], data: new Float32Array(12) };
  for (const cell of cells)
    for (const network of networksOf(cell)) {
      const model = core.createModel(network, noting);
      const calls = [{}, { lengths: [1, 2] }];
      for (const call of calls) {
        const { output } = model.runSync(x, call);
        model.runSync(x, { ...call, output: "last" });
        core.gradientSync(model, x, { output }, call);
      }
      model.dispose();
    }
  backend.dispose();
  return places.maps;
}

/** The bytes of a module with these maps, each once, and with every single instruction. */
export function emitPrebuilt(
  maps: readonly EquationMap[],
  relaxed: boolean,
  extend?: Crew["extend"],
): Uint8Array {
  const byKey = new Map([...singles(), ...maps].map((map) => [mapKey(map), map]));
  const contents: Contents = {
    engine: engineKey(relaxed),
    relaxed,
    maps: Array.from(byKey.keys(), hash),
    ...(extend && { threads: true }),
  };
  const module = emit([...byKey.values()], relaxed, extend, int8(relaxed));
  return Uint8Array.from([...module, ...customSection(SECTION, JSON.stringify(contents))]);
}
