/** What a trainer keeps on the device: the optimizer's moments, and programs bound to the sizes of batches, each with the update of its gradients. */
import {
  execute, owning, prepare, type Call, type DeviceBuffer, type Engine, type Execution, type Owner, type Plan, type Program,
} from "@recurra/core/internal"; // prettier-ignore
import type { Loss } from "./losses/loss.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { hold, planOf, type TrainingPlan } from "./program.ts";
import {
  gradientBuffer, momentBuffer, normProgram, scalarsBuffer, squaresBuffer, updateProgram, type Clip, type Storage,
} from "./update.ts"; // prettier-ignore

/** How many sizes of batches stay bound: those used last. */
const most = 8;

/** What is made of gradients: their norm, which is looked at, and then the update. */
export interface Learning {
  measure(): void;
  update(): void;
}

/** A program bound to a batch size, and where it learns what is made of its gradients. */
export interface Bound {
  readonly key: string;
  readonly plan: TrainingPlan;
  readonly execution: Execution;
  readonly learning: Learning | undefined;
  dispose(): void;
}

export interface Moment {
  /** `moment.parameter storage`. */
  readonly name: string;
  readonly storage: Storage;
  readonly buffer: DeviceBuffer;
}

export interface Held {
  readonly moments: readonly Moment[];
  /** Parameters, moments and what else the programs share, by name. */
  readonly shared: ReadonlyMap<string, DeviceBuffer>;
  /** The optimizer's numbers of the step. */
  readonly scalars: DeviceBuffer;
  /** Σg², of the gradients that were measured last. */
  readonly squares: DeviceBuffer;
  /** What runs for batches whose rows all have all steps. */
  readonly programs: Readonly<Record<"training" | "norm" | "update", Program>>;
  /** A program bound to the size of a batch. @param learns with the gradient, rather than the loss alone */
  boundTo(call: Call, learns: boolean): Bound;
}

/** @throws RecurraError where the loss doesn't fit the network's output */
export function holdTraining(
  engine: Engine,
  loss: Loss,
  optimizer: Optimizer,
  clip: Clip,
  owner: Owner,
): Held {
  const { backend, graph } = engine;
  const plans = new Map<string, TrainingPlan>();
  /** Last used, first. */
  let bound: Bound[] = [];

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
  const squares = owner.alloc(backend, 1);
  shared.set(squaresBuffer, squares);
  const norm = prepare(normProgram(storages, backend), backend);
  const update = prepare(updateProgram(optimizer, clip, storages, backend), backend);

  /** What is made of the gradients that a program leaves. */
  function learningOf(execution: Execution, own: Owner): Learning {
    const buffers = new Map(shared);
    for (const { name, rows: height, width } of storages) {
      const parts = learned.filter(({ storage }) => storage.name === name);
      const { buffer } = execution.output(`d.${(parts[0] as (typeof parts)[0]).name}`);
      // Rows that no gradient reaches are never written.
      if (parts.reduce((sum, part) => sum + part.rows, 0) < height)
        backend.write(buffer, new Float32Array(height * width), 0);
      buffers.set(gradientBuffer(name), buffer);
    }
    const bind = ({ program: { parameters }, prepared }: Plan): (() => void) => {
      const views = Object.entries(parameters).map(
        ([name, i]) => [i, [buffers.get(name) as DeviceBuffer]] as const,
      );
      const made = own.own(prepared.bind(1, 1, new Map(views)));
      return () => made.run(1, 0);
    };
    return { measure: bind(norm), update: bind(update) };
  }

  function boundTo({ steps, batch, lengths }: Call, learns: boolean): Bound {
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
          return { key, plan, execution, learning: learns ? learningOf(execution, own) : undefined };
        }),
      );
    }
    bound = [found, ...bound.filter((b) => b !== found)];
    owner.release(bound.splice(most)[0]);
    return found;
  }

  const programs = { training: program, norm: norm.program, update: update.program };
  return { moments, shared, scalars, squares, programs, boundTo };
}
