/** What a batch brings, checked before a backend sees any of it. */

import { check, checkOptions, fail, readCall, type Call, type Engine } from "@recurra/core/internal";
import { inputOf, outputOf, WEIGHT } from "./program.ts";
import type { Loss, Rows } from "./losses/loss.ts";
import type { Batch } from "./types.ts";

/** A batch that fits: a call, and what is to be made of its loss. */
export interface Given {
  readonly call: Call;
  readonly rows: Rows;
  /** ∂(the loss)/∂ℓ of each row. */
  readonly weights: Float32Array;
  /** What the mean divided by. */
  readonly total: number;
}

/** @throws RecurraError naming the row, where something doesn't fit or isn't finite */
export function readBatch(engine: Engine, loss: Loss, batch: Batch): Given {
  check(typeof batch === "object" && batch !== null, "trainer", "a batch { x, target }", batch);
  checkOptions(batch, ["x", "target", "lengths", "state"], "batch");
  const { x, target, lengths, state } = batch;
  const call = readCall(
    engine,
    x,
    { ...(state !== undefined && { state }), ...(lengths !== undefined && { lengths }) },
    [],
  );
  const { steps, batch: size } = call;
  const where = (row: number, sequence = true): string =>
    `batch row ${row % size}${sequence ? `, step ${Math.floor(row / size)}` : ""}`;
  const within = (row: number): boolean =>
    !call.lengths || Math.floor(row / size) < call.lengths[row % size]!;
  for (const [name, { width }] of engine.graph.inputs)
    checkRows(`input ${name}`, call.inputs.get(name)!, width, true);
  // A gate at its limit would hide it from the loss, and not from the gradient.
  for (const [name, data] of call.states)
    checkRows(`state ${name}`, data, engine.graph.states.get(name)!.width, false);

  const { domain, width } = outputOf(engine.graph);
  const sequence = domain !== "batch";
  const rows: Rows = {
    steps: sequence ? steps : 1,
    batch: size,
    width,
    sequence,
    counts: sequence ? within : (row) => steps > 0 && within(row),
    where: (row) => where(row, sequence),
  };
  const { inputs, weights, total } = loss.read(target, rows);
  for (const [name, data] of Object.entries(inputs)) call.inputs.set(inputOf(name), data);
  // Where the mean is of nothing, so is the gradient: rows of classes without weight may have a loss by label smoothing.
  for (let r = 0; r < weights.length; r++) weights[r] = total > 0 ? weights[r]! / total : 0;
  call.inputs.set(WEIGHT, weights);
  return { call, rows, weights, total };

  function checkRows(name: string, data: Float32Array, columns: number, perStep: boolean): void {
    for (let i = 0; i < data.length; i++) {
      if (Math.abs(data[i]!) < Infinity) continue;
      const row = Math.floor(i / columns);
      if (!perStep || within(row))
        fail(
          "NON_FINITE",
          `${name}: ${where(row, perStep)}: expected finite numbers, got ${data[i]} in column ${i % columns}`,
        );
    }
  }
}
