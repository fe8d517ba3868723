/** Lifecycle: everything is freed, many models live side by side, and what was disposed of says so. */
import { createModel, dense, gradient, lstm, recurrent, RecurraError, stack } from "@recurra/core";
import type { Backend, DeviceBuffer } from "@recurra/core/internal";
import { Draw } from "../draw.ts";
import { withBackend, type Statement, type Tally } from "../law.ts";
import { differentiates } from "../program.ts";
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
        const loss = { output: { shape: [4, 3, 2], data: draw.floats(24) } };
        if (differentiates(real)) await gradient(model, input, loss);
        else await refuses(tally, "gradient of quantized weights", () => gradient(model, input, loss));
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

    // What a backend refuses by itself; all else that doesn't fit is refused before it sees it.
    tally.trying("what was freed");
    await withBackend(setting, async (_, bare) => {
      const buffer = bare.alloc(4);
      bare.free(buffer);
      await refuses(tally, "write to a freed buffer", async () => bare.write(buffer, new Float32Array(1), 0));
      await refuses(tally, "read of a freed buffer", () => bare.read(buffer, new Float32Array(1), 0));
    });

    tally.trying("a backend that was disposed of");
    const backend = await setting.open();
    const buffer = backend.alloc(4);
    backend.dispose();
    backend.dispose();
    await refuses(tally, "alloc", async () => backend.alloc(1));
    await refuses(tally, "write", async () => backend.write(buffer, new Float32Array(1), 0));
    await refuses(tally, "read", () => backend.read(buffer, new Float32Array(1), 0));
    await refuses(tally, "prepare", async () => backend.prepare(copy));

    tally.trying("a backend that was disposed of under a model");
    const under = await setting.open();
    const model = createModel(network, under, { seed: 1 });
    await model.run(x(2, 1));
    under.dispose();
    await refuses(tally, "run", async () => model.run(x(2, 1)));
  },
};

const copy = {
  op: "map",
  width: 2,
  inputs: 1,
  instructions: [{ fn: "copy", args: [{ input: 0 }] }],
  outputs: [0],
} as const;

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
