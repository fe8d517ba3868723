/** The trainer: loss, gradient, clipping, update, one batch at a time. */
import { explain, type Model, type Tensor } from "@recurra/core";
import {
  check, checkOptions, checkWhole, collect, execute, fail, isRecord, owning, prepare, readTensors, sizeOf, wantOutput, wantStates, writeCall,
  type DeviceBuffer, type Engine, type Execution, type Owner,
} from "@recurra/core/internal"; // prettier-ignore
import { readBatch, type Given } from "./batch.ts";
import type { Loss } from "./losses/loss.ts";
import { memoryOf } from "./memory.ts";
import { drawStep } from "./masks.ts";
import { locate, stop } from "./non-finite.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { hold, LOSS, outputOf, planOf, type TrainingPlan } from "./program.ts";
import type { Evaluation, Step, Trainer, TrainerState } from "./types.ts";
import {
  gradientBuffer,
  momentBuffer,
  scalarsBuffer,
  updateProgram,
  type Clip,
  type Storage,
} from "./update.ts";

export interface TrainerOptions {
  /** `crossEntropy()`, `meanSquared()`, …: of the network's (first) output. */
  readonly loss: Loss;
  /** `adam()`, `sgd({ learningRate: 0.1 })`, … */
  readonly optimizer: Optimizer;
  /** Keeps gradients small before each update. */
  readonly clip?: Clip;
  /** Of dropout's masks. Default: 0. */
  readonly seed?: number;
}

/** How many sizes of batches stay bound: those used last. */
const most = 4;

/** A program bound to a batch size, with the update of its gradients where it learns. */
interface Bound {
  readonly key: string;
  readonly plan: TrainingPlan;
  readonly execution: Execution;
  readonly update: (() => void) | undefined;
  dispose(): void;
}

/** Put a model into training. Its parameters are updated on the device; the model can be run in between. */
export function createTrainer(model: Model, options: TrainerOptions): Trainer {
  const who = "createTrainer";
  const { engine } = (model ?? {}) as Partial<Model>;
  check(engine !== undefined, who, "a model", model);
  engine.idle();
  checkOptions(options, ["loss", "optimizer", "clip", "seed"], who);
  const { loss, optimizer, clip = {}, seed = 0 } = options;
  check(isRecord(loss) && "define" in loss, `${who}: loss`, "a loss, such as crossEntropy()", loss);
  check(
    isRecord(optimizer) && "update" in optimizer,
    `${who}: optimizer`,
    "an optimizer, such as adam()",
    optimizer,
  );
  checkOptions(clip, ["norm", "value"], `${who}: clip`);
  for (const [name, limit] of Object.entries(clip))
    check(
      limit === undefined || (typeof limit === "number" && limit > 0),
      `${who}: clip: ${name}`,
      "a number above 0",
      limit,
    );
  checkWhole(seed, `${who}: seed`, -Infinity);
  return owning((owner) => train(model, engine, { loss, optimizer, clip, seed }, owner));
}

function train(
  model: Model,
  engine: Engine,
  { loss, optimizer, clip, seed }: Required<TrainerOptions>,
  owner: Owner,
): Omit<Trainer, "dispose"> {
  const { backend, graph } = engine;
  const [outputName] = graph.outputs.keys() as Iterable<string> as [string];
  const plans = new Map<string, TrainingPlan>();
  /** Last used, first. */
  let bound: Bound[] = [];
  let taken = 0;

  const planFor = (masked: boolean, learns: boolean): TrainingPlan => {
    const key = [masked, learns].join();
    const plan = plans.get(key) ?? planOf(engine, loss, { masked, dropout: learns }, learns);
    plans.set(key, plan);
    return plan;
  };
  // Misfits show now. What the loss doesn't depend on has no gradient, and is left alone.
  const { program, rows } = planFor(false, true);
  const shared = new Map<string, DeviceBuffer>(engine.buffers);
  for (const [name, values] of rows) shared.set(name, hold(owner, backend, values));

  const learned = [...graph.parameters.values()].filter(({ name }) =>
    Object.hasOwn(program.outputs, `d.${name}`),
  );
  const storages: Storage[] = [...graph.storages.values()].filter((s) =>
    learned.some(({ storage }) => storage.name === s.name),
  );
  const moments = Object.entries(optimizer.moments).flatMap(([moment, first]) =>
    storages.map((storage) => {
      const values = new Float32Array(storage.rows * storage.width).fill(first);
      return { name: momentBuffer(moment, storage.name), storage, buffer: hold(owner, backend, values) };
    }),
  );
  for (const { name, buffer } of moments) shared.set(name, buffer);
  const scalars = owner.alloc(backend, Object.keys(optimizer.scalars(1, 0)).length);
  shared.set(scalarsBuffer, scalars);
  const update = prepare(updateProgram(optimizer, clip, storages, backend), backend);

  /** The update of what a program leaves as gradients. */
  function bindUpdate(execution: Execution, own: Owner): () => void {
    const buffers = new Map(shared);
    for (const { name, rows: height, width } of storages) {
      const parts = learned.filter(({ storage }) => storage.name === name);
      const { buffer } = execution.output(`d.${(parts[0] as (typeof parts)[0]).name}`);
      // Rows that no gradient reaches are never written.
      if (parts.reduce((sum, part) => sum + part.rows, 0) < height)
        backend.write(buffer, new Float32Array(height * width), 0);
      buffers.set(gradientBuffer(name), buffer);
    }
    const { parameters } = update.program;
    const views = Object.entries(parameters).map(
      ([name, i]) => [i, [buffers.get(name) as DeviceBuffer]] as const,
    );
    const made = own.own(update.prepared.bind(1, 1, new Map(views)));
    return () => made.run(1, 0);
  }

  function boundTo({ call }: Given, learns: boolean): Bound {
    const { steps, batch, lengths } = call;
    const masked = lengths !== undefined;
    const key = [masked, learns, batch].join();
    let found = bound.find((b) => b.key === key);
    if (found && found.execution.steps < steps) {
      owner.release(found);
      bound = bound.filter((b) => b !== found);
      found = undefined;
    }
    if (!found) {
      const plan = planFor(masked, learns);
      found = owner.own(
        owning((own) => {
          const execution = own.own(execute(plan, backend, shared, steps, batch));
          return { key, plan, execution, update: learns ? bindUpdate(execution, own) : undefined };
        }),
      );
    }
    bound = [found, ...bound.filter((b) => b !== found)];
    owner.release(bound.splice(most)[0]);
    return found;
  }

  /** Run a batch, read what it gives, and go on where the loss is finite. */
  function perform<R>(
    { call, rows, weights, total }: Given,
    { execution, plan }: Bound,
    who: string,
    then: (found: Evaluation) => R,
  ): R | Promise<R> {
    writeCall(engine, execution, call);
    execution.run(call.steps);
    return collect(
      engine,
      {
        output: [wantOutput(execution, call, outputName, outputOf(graph))],
        loss: [wantOutput(execution, call, LOSS, { ...outputOf(graph), width: 1 })],
        state: wantStates(execution, graph.states.values()),
      },
      ({ output, loss: losses, state }): R | Promise<R> => {
        const { data } = losses[LOSS] as Tensor;
        let sum = 0;
        // What doesn't count may be anything.
        for (let r = 0; r < weights.length; r++) if (weights[r] !== 0) sum += weights[r]! * data[r]!;
        if (Number.isFinite(sum))
          return then({ loss: sum, weight: total, state, output: output[outputName] as Tensor });
        const row = data.findIndex((value, r) => weights[r] !== 0 && !Number.isFinite(value));
        const said = (cause: string): never =>
          stop(who, `${rows.where(row)} (${loss.name})`, data[row]!, cause);
        const cause = locate(engine, plan.graph.options, shared, call, row % call.batch);
        return typeof cause === "string" ? said(cause) : cause.then(said);
      },
    ) as R | Promise<R>;
  }

  return {
    model,

    async step(batch, given = {}) {
      engine.idle();
      checkOptions(given, ["learningRate"], "trainer: step");
      const { learningRate = optimizer.learningRate } = given;
      check(
        typeof learningRate === "number" && learningRate >= 0 && learningRate < Infinity,
        "trainer: learningRate",
        "a number of at least 0",
        learningRate,
      );
      const read = readBatch(engine, loss, batch);
      const number = taken + 1;
      const found = boundTo(read, true);
      drawStep(found.plan.graph, read.call, seed, number);
      return perform(read, found, `training step ${number}`, (evaluation): Step => {
        backend.write(scalars, Float32Array.from(Object.values(optimizer.scalars(number, learningRate))), 0);
        found.update?.();
        taken = number;
        return { ...evaluation, step: number, learningRate };
      });
    },

    async evaluate(batch) {
      engine.idle();
      const read = readBatch(engine, loss, batch);
      return perform(read, boundTo(read, false), "evaluation", (evaluation) => evaluation);
    },

    async state() {
      engine.idle();
      const places = [...graph.parameters.values()].map(({ name, storage, shape, row, width }) => ({
        name,
        shape,
        place: { buffer: engine.buffers.get(storage.name) as DeviceBuffer, offset: row * width },
        into: new Float32Array(sizeOf(shape)),
      }));
      const held = moments.map(({ name, storage, buffer }) => ({
        name,
        shape: [storage.rows, storage.width],
        place: { buffer, offset: 0 },
        into: new Float32Array(storage.rows * storage.width),
      }));
      const tensors = (of: typeof held | typeof places): Record<string, Tensor> =>
        Object.fromEntries(of.map(({ name, shape, into }) => [name, { shape: [...shape], data: into }]));
      return engine.read(
        [...places, ...held],
        (): TrainerState => {
          const parameters = tensors(places);
          // Of a backend that answers later the model has copies.
          if (!backend.readSync) engine.setParameters(parameters);
          return { step: taken, parameters, moments: tensors(held) };
        },
        undefined,
      );
    },

    restore(state) {
      engine.idle();
      checkOptions(state, ["step", "parameters", "moments"], "trainer: restore");
      checkWhole(state.step, "trainer: restore: step", 0);
      const known = new Map(moments.map((moment) => [moment.name, moment]));
      const values = readTensors(state.moments, "moment", known, ({ storage }) => [
        storage.rows,
        storage.width,
      ]);
      const missing = [...known.keys()].find((name) => !values.has(name));
      if (missing !== undefined)
        fail(
          "UNKNOWN_NAME",
          `trainer: restore: expected the moment ${missing}, got none; was it saved by ${optimizer.name}?`,
        );
      engine.setParameters(state.parameters);
      for (const [name, data] of values) backend.write(known.get(name)!.buffer, data, 0);
      taken = state.step;
    },

    explain(sizes = {}) {
      checkOptions(sizes, ["steps", "batch"], "trainer: explain");
      const { steps, batch } = sizes;
      const { program: step } = planFor(false, true);
      const known = { ...(steps !== undefined && { T: steps }), ...(batch !== undefined && { B: batch }) };
      const memory = memoryOf(step, update.program, new Set(moments.map(({ name }) => name)), known);
      return [explain(step, sizes), explain(update.program, sizes), memory].join("\n\n");
    },
  };
}
