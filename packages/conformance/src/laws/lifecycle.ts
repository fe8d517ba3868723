/** Lifecycle: everything is freed, many models live side by side, and what was disposed of says so. */
import { createModel, dense, gradient, lstm, recurrent, RecurraError, stack } from "@recurra/core";
import type { Backend, DeviceBuffer, View } from "@recurra/core/internal";
import { Draw } from "../draw.ts";
import { withBackend, type Statement, type Tally } from "../law.ts";
import { forward } from "../wrap.ts";

const network = stack(
  recurrent(lstm, { inputSize: 3, hiddenSize: 5 }),
  dense({ inputSize: 5, outputSize: 2 }),
);

/** A backend that counts what is allocated and not freed. */
function counting(backend: Backend): { readonly backend: Backend; readonly alive: Set<DeviceBuffer> } {
  const alive = new Set<DeviceBuffer>();
  const counted = forward(backend, {
    alloc(length) {
      const buffer = backend.alloc(length);
      alive.add(buffer);
      return buffer;
    },
    free(buffer) {
      alive.delete(buffer);
      backend.free(buffer);
    },
  });
  return { backend: counted, alive };
}

export const lifecycle: Statement = {
  name: "lifecycle",
  async body(tally, setting) {
    const draw = new Draw(setting.seed, "lifecycle");
    const x = (steps: number, batch: number) => ({
      shape: [steps, batch, 3],
      data: draw.floats(steps * batch * 3),
    });

    tally.trying("models come and go");
    await withBackend(setting, async (real) => {
      const { backend, alive } = counting(real);
      const models = Array.from({ length: 12 }, (_, seed) => createModel(network, backend, { seed }));
      const input = x(4, 3);
      const first: Float32Array[] = [];
      for (const model of models) first.push((await model.run(input)).output.data);
      for (const model of models.filter((_, i) => i % 2 === 0)) model.dispose();
      for (const [i, model] of models.entries()) {
        if (i % 2 === 0) {
          await refuses(tally, "run on a disposed model", async () => model.run(input));
          continue;
        }
        for (const [steps, batch] of [
          [1, 1],
          [7, 2],
          [2, 5],
        ] as const)
          await model.run(x(steps, batch));
        await gradient(model, input, { output: { shape: [4, 3, 2], data: draw.floats(24) } });
        const stream = model.stream({ batch: 2 });
        await stream.step(draw.floats(6));
        const again = (await model.run(input)).output.data;
        tally.same(
          again,
          first[i]!,
          (k) => `element ${k} of model ${i}'s output, after other models came and went`,
        );
      }
      for (const model of models) {
        model.dispose();
        model.dispose();
      }
      tally.check(alive.size === 0, () => `expected every buffer freed, got ${alive.size} left`);
    });

    tally.trying("what was freed");
    await withBackend(setting, async (backend) => {
      const buffer = backend.alloc(4);
      backend.free(buffer);
      await refuses(tally, "write to a freed buffer", async () =>
        backend.write(buffer, new Float32Array(1), 0),
      );
      await refuses(tally, "read of a freed buffer", () => backend.read(buffer, new Float32Array(1), 0));
      await refuses(tally, "binding a freed buffer", async () => bindCopy(backend, { buffer }));
    });

    tally.trying("what doesn't fit");
    await withBackend(setting, async (backend) => {
      const buffer = backend.alloc(12);
      await refuses(tally, "write past the end", async () => backend.write(buffer, new Float32Array(5), 8));
      await refuses(tally, "write before the start", async () =>
        backend.write(buffer, new Float32Array(5), -1),
      );
      await refuses(tally, "read past the end", () => backend.read(buffer, new Float32Array(13), 0));
      for (const [how, view] of Object.entries<Partial<View>>({
        "a view past the end": { offset: 10 },
        "a view whose rows lie past the end": { rowStride: 6 },
        "a view before the start": { offset: -1 },
        "a view with a fraction": { offset: 0.5 },
      }))
        await refuses(tally, how, async () => bindCopy(backend, { buffer, ...view }));
      bindCopy(backend, { buffer, offset: 1 });
    });

    tally.trying("a backend that was disposed of");
    const backend = await setting.open();
    const buffer = backend.alloc(4);
    backend.dispose();
    backend.dispose();
    await refuses(tally, "alloc", async () => backend.alloc(1));
    await refuses(tally, "write", async () => backend.write(buffer, new Float32Array(1), 0));
    await refuses(tally, "read", () => backend.read(buffer, new Float32Array(1), 0));
    await refuses(tally, "prepare", async () => bindCopy(backend, { buffer }));
  },
};

/** A copy of 3 rows of 2, to a fresh buffer. */
function bindCopy(backend: Backend, from: Partial<View> & Pick<View, "buffer">): void {
  const view = { offset: 0, rowStride: 2, columnStride: 1, stepStride: 0, slots: 1 } as const;
  const to = { ...view, buffer: backend.alloc(6) };
  backend
    .prepare({
      op: "map",
      width: 2,
      inputs: 1,
      instructions: [{ fn: "copy", args: [{ input: 0 }] }],
      outputs: [0],
    })
    .bind(3, [{ ...view, ...from }, to]);
}

async function refuses(tally: Tally, what: string, attempt: () => Promise<unknown>): Promise<void> {
  let thrown: unknown;
  try {
    await attempt();
  } catch (error) {
    thrown = error;
  }
  tally.check(
    thrown instanceof RecurraError,
    () => `${what}: expected a RecurraError, got ${thrown instanceof Error ? thrown.message : "none"}`,
  );
}
