/** A run's position and a trainer's state as a snapshot, and back. */
import type { Tensor } from "@recurra/core";
import { fail, isRecord, isWhole, show } from "@recurra/core/internal";
import type { EndEvent } from "../events.ts";
import type { Sums } from "../means.ts";
import type { PlateauState } from "../schedules.ts";
import type { TrainerState } from "../types.ts";
import type { Snapshot } from "./checkpoint.ts";

type Tensors = Readonly<Record<string, Tensor>>;

/** Where a run stands. */
export interface Position {
  readonly seed: number;
  /** How many batches an epoch of the data has, where that was known. */
  readonly size?: number | undefined;
  epoch: number;
  /** The next one of the epoch. */
  batch: number;
  /** Of the epoch so far. */
  sums: Sums;
  /** How many epochs in a row, of those with validation data, weren't the best. */
  waited: number;
  best?: EndEvent["best"];
  plateau?: PlateauState;
  /** The states after the last batch, which the next may go on from. */
  carried: Tensors;
  bestParameters: Tensors;
}

const who = "checkpoint";
const format = "recurra training 1";

/** @throws NON_FINITE for parameters that no model would take up again */
export function toSnapshot(
  position: Position,
  { step, parameters, optimizer, moments }: TrainerState,
): Snapshot {
  for (const [name, { data }] of Object.entries(parameters)) {
    const found = data.find((value) => !Number.isFinite(value));
    if (found !== undefined)
      fail(
        "NON_FINITE",
        `${who}: expected finite parameters, got ${found} in ${name} after step ${step}; it isn't saved, and the one before stays. Lower the learning rate, or clip the gradients`,
      );
  }
  const { carried, bestParameters, sums, ...rest } = position;
  const groups = { parameters, moments, carried, best: bestParameters };
  return {
    tensors: Object.fromEntries(
      Object.entries(groups).flatMap(([group, tensors]) =>
        Object.entries(tensors).map(([name, tensor]) => [`${group}/${name}`, tensor]),
      ),
    ),
    metadata: { format, run: textOf({ step, optimizer, ...rest, sums: Object.fromEntries(sums) }) },
  };
}

/** @throws FILE_ERROR for a snapshot of something else, INVALID_ARGUMENT for one of another run */
export function fromSnapshot(
  snapshot: Snapshot,
  seed: number,
): { readonly position: Position; readonly state: TrainerState } {
  const { tensors, metadata } = snapshot as Partial<Snapshot>;
  if (!isRecord(tensors) || !isRecord(metadata))
    fail("FILE_ERROR", `${who}: expected a snapshot { tensors, metadata }, got ${show(snapshot)}`);
  if (metadata.format !== format)
    fail("FILE_ERROR", `${who}: expected the format ${format}, got ${metadata.format}; give another file`);
  const run = parse(metadata.run ?? "null");
  if (!isRun(run))
    fail("FILE_ERROR", `${who}: expected a run's position, got ${metadata.run}; give another file`);
  if (run.seed !== seed)
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected one of a run with seed ${seed}, got one with seed ${run.seed}; give that seed, or another file`,
    );
  const group = (of: string): Tensors =>
    Object.fromEntries(
      Object.entries(tensors)
        .filter(([name]) => name.startsWith(`${of}/`))
        .map(([name, tensor]) => [name.slice(of.length + 1), tensor]),
    );
  const { step, optimizer, sums, ...position } = run;
  return {
    position: {
      ...position,
      sums: new Map(
        Object.entries(sums).map(([name, { sum, weight }]) => [
          name,
          { sum: Number(sum), weight: Number(weight) },
        ]),
      ),
      carried: group("carried"),
      bestParameters: group("best"),
    },
    state: { step, parameters: group("parameters"), optimizer, moments: group("moments") },
  };
}

/** JSON has no numbers that aren't finite, which a metric's sum may be: they are texts. */
const textOf = (run: object): string =>
  JSON.stringify(run, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Run = Omit<Position, "carried" | "bestParameters" | "sums"> & {
  readonly sums: Readonly<Record<string, Readonly<Record<"sum" | "weight", unknown>>>>;
  readonly step: number;
  readonly optimizer: string;
};

const isRun = (run: unknown): run is Run =>
  isRecord(run) &&
  [run.step, run.epoch, run.batch, run.waited].every((value) => isWhole(value, 0)) &&
  isWhole(run.seed, -Infinity) &&
  (run.size === undefined || isWhole(run.size, 0)) &&
  typeof run.optimizer === "string" &&
  isRecord(run.sums) &&
  Object.values(run.sums).every(isRecord);
