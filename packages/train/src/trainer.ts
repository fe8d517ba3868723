/** The trainer: loss, gradient, clipping, update, one batch at a time. */
import { explain, type Model, type Tensor } from "@recurra/core";
import {
  check, checkOptions, checkWhole, collect, fail, isRecord, owning, readTensors, sizeOf, wantOutput, wantStates, writeCall,
  type DeviceBuffer, type Engine, type Owner,
} from "@recurra/core/internal"; // prettier-ignore
import { readBatch, type Given } from "./batch.ts";
import { holdTraining, type Bound } from "./held.ts";
import type { Loss } from "./losses/loss.ts";
import { memoryOf } from "./memory.ts";
import { drawStep } from "./masks.ts";
import { locate, stop, stopAtGradient } from "./non-finite.ts";
import { checkNumber } from "./numbers.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { LOSS, outputOf } from "./program.ts";
import type { Evaluation, Step, Trainer, TrainerState } from "./types.ts";
import type { Clip } from "./update.ts";

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

/** Put a model into training. Its parameters are updated on the device; the model can be run in between. */
export function createTrainer(model: Model, options: TrainerOptions): Trainer {
  const who = "createTrainer";
  const { engine } = (model ?? {}) as Partial<Model>;
  check(engine !== undefined, who, "a model", model);
  engine.idle();
  checkOptions(options, ["loss", "optimizer", "clip", "seed"], who);
  const { loss, optimizer, clip = {}, seed = 0 } = options;
  checkParts(loss, ["define", "read"], `${who}: loss`, "a loss, such as crossEntropy()");
  checkParts(optimizer, ["scalars", "update"], `${who}: optimizer`, "an optimizer, such as adam()");
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

/** Checks that something has these functions. */
function checkParts(given: unknown, names: readonly string[], who: string, wanted: string): void {
  const ok = isRecord(given) && names.every((name) => typeof given[name] === "function");
  check(ok, who, wanted, given);
}

function train(
  model: Model,
  engine: Engine,
  { loss, optimizer, clip, seed }: Required<TrainerOptions>,
  owner: Owner,
): Omit<Trainer, "dispose"> {
  const { backend, graph } = engine;
  const [outputName] = graph.outputs.keys() as Iterable<string> as [string];
  const held = holdTraining(engine, loss, optimizer, clip, owner);
  const { moments, shared, scalars, programs, boundTo } = held;
  const place = { buffer: held.squares, offset: 0, column: 0, width: 1, stride: 1 };
  const norm = { name: "squares", shape: [1], place, rowOf: undefined };
  let taken = 0;

  /** Run a batch, read what it gives, and go on where the loss and the gradient's norm are finite. */
  function perform<R>(
    { call, rows, weights, total }: Given,
    { execution, plan, learning }: Bound,
    who: string,
    then: (found: Evaluation) => R,
  ): R | Promise<R> {
    writeCall(engine, execution, call);
    execution.run(call.steps);
    learning?.measure();
    return collect(
      engine,
      {
        output: [wantOutput(execution, call, outputName, outputOf(graph))],
        loss: [wantOutput(execution, call, LOSS, { ...outputOf(graph), width: 1 })],
        state: wantStates(execution, graph.states.values()),
        norm: learning ? [{ ...norm, into: new Float32Array(1) }] : [],
      },
      ({ output, loss: losses, state, norm: { squares } }): R | Promise<R> => {
        const { data } = losses[LOSS] as Tensor;
        let sum = 0;
        // What doesn't count may be anything.
        for (let r = 0; r < weights.length; r++) if (weights[r] !== 0) sum += weights[r]! * data[r]!;
        if (Number.isFinite(sum) && squares && !Number.isFinite(squares.data[0]))
          return stopAtGradient(who, engine, execution);
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
      checkOptions(given, ["learningRate", "before"], "trainer: step");
      const { learningRate = optimizer.learningRate } = given;
      checkNumber(learningRate, "trainer: learningRate");
      const number = taken + 1;
      const numbers = Float32Array.from(Object.values(optimizer.scalars(number, learningRate)));
      const finite = numbers.every(Number.isFinite);
      check(finite, "trainer: learningRate", "a rate that is finite in float32, with what the optimizer makes of it", learningRate); // prettier-ignore
      const read = readBatch(engine, loss, batch);
      const found = boundTo(read.call, true);
      drawStep(found.plan.graph, read.call, seed, number);
      return perform(read, found, `training step ${number}`, (evaluation): Step => {
        given.before?.(evaluation);
        backend.write(scalars, numbers, 0);
        found.learning?.update();
        taken = number;
        return { ...evaluation, step: number, learningRate };
      });
    },

    async evaluate(batch) {
      engine.idle();
      const read = readBatch(engine, loss, batch);
      return perform(read, boundTo(read.call, false), "evaluation", (evaluation) => evaluation);
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
          return { step: taken, parameters, optimizer: optimizer.name, moments: tensors(held) };
        },
        undefined,
      );
    },

    restore(state) {
      engine.idle();
      checkOptions(state, ["step", "parameters", "optimizer", "moments"], "trainer: restore");
      check(
        state.optimizer === optimizer.name,
        "trainer: restore",
        `a state of ${optimizer.name}`,
        state.optimizer,
      );
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
          `trainer: restore: expected the moment ${missing}, got none; was it saved with the same options?`,
        );
      const given = isRecord(state.parameters) ? state.parameters : undefined;
      const absent = [...graph.parameters.keys()].find((name) => given && !Object.hasOwn(given, name));
      if (absent !== undefined)
        fail(
          "UNKNOWN_NAME",
          `trainer: restore: expected the parameter ${absent}, got none; was it saved of this network?`,
        );
      engine.setParameters(state.parameters);
      for (const [name, data] of values) backend.write(known.get(name)!.buffer, data, 0);
      taken = state.step;
    },

    explain(sizes = {}) {
      checkOptions(sizes, ["steps", "batch"], "trainer: explain");
      const { steps, batch } = sizes;
      const known = { ...(steps !== undefined && { T: steps }), ...(batch !== undefined && { B: batch }) };
      const memory = memoryOf(
        programs.training,
        [programs.norm, programs.update],
        new Set(moments.map(({ name }) => name)),
        known,
      );
      return [...Object.values(programs).map((program) => explain(program, sizes)), memory].join("\n\n");
    },
  };
}
