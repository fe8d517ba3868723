// What a sequence and a step cost: launches, and what crosses the bus.
import { createModel, dense, gradient, gru, lstm, recurrent, stack } from "@recurra/core";
import { expect, test } from "vitest";
import type { Counters } from "../src/counters.ts";
import { bufferOf, dense as view, numbersOf, onGpu, opened, pointwise, type Opened } from "./support.ts";

const [I, H, O] = [10, 20, 5];

/** What is counted while something runs. */
async function counted({ device }: Opened, run: () => Promise<unknown>): Promise<Counters> {
  const before = { ...device.counters };
  await run();
  const keys = Object.keys(before) as (keyof Counters)[];
  return Object.fromEntries(
    keys.map((key) => [key, device.counters[key] - before[key]]),
  ) as unknown as Counters;
}

const input = (steps: number, batch: number) => ({
  shape: [steps, batch, I],
  data: Float32Array.from({ length: steps * batch * I }, (_, i) => Math.sin(i)),
});

onGpu("an LSTM", () => {
  const network = stack(
    recurrent(lstm, { inputSize: I, hiddenSize: H }),
    dense({ inputSize: H, outputSize: O }),
  );

  test("two launches a step, whatever T is; one upload and one download", () =>
    opened(async (made) => {
      const model = createModel(network, made.backend, { seed: 1 });
      const costs: Counters[] = [];
      for (const steps of [16, 48, 64]) {
        await model.run(input(steps, 4)); // parameters and kernels
        costs.push(await counted(made, () => model.run(input(steps, 4))));
      }
      const [first, second, third] = costs as [Counters, Counters, Counters];
      // A chunk has 16 steps here: each costs the same.
      expect((third.launches - second.launches) / 16).toBeLessThan(2 + 4 / 16);
      expect((second.launches - first.launches) / 32).toBeLessThan(2 + 4 / 16);
      for (const cost of costs) {
        expect(cost).toMatchObject({ uploads: 1, downloads: 1, compiled: 0, textures: 0 });
      }
      expect(third.uploadedBytes).toBe(4 * 64 * 4 * I);
      model.dispose();
    }));

  test("a stream's step: one frame up, what it gives down", () =>
    opened(async (made) => {
      const model = createModel(network, made.backend, { seed: 1 });
      const stream = model.stream();
      const frame = input(1, 1).data;
      for (let i = 0; i < 3; i++) await stream.step(frame);
      const cost = await counted(made, () => stream.step(frame));
      expect(cost).toMatchObject({
        uploads: 1,
        uploadedBytes: 4 * I,
        downloads: 1,
        compiled: 0,
        textures: 0,
      });
      expect(cost.downloadedBytes).toBeLessThanOrEqual(4 * 4 * O);
      expect(cost.launches).toBeLessThanOrEqual(2 + 2);
      model.dispose();
    }));

  test("a gradient: transfers don't depend on T", () =>
    opened(async (made) => {
      const model = createModel(network, made.backend, { seed: 1 });
      const costs: Counters[] = [];
      for (const steps of [16, 48]) {
        const loss = { output: { shape: [steps, 2, O], data: new Float32Array(steps * 2 * O).fill(1) } };
        const run = () => gradient(model, input(steps, 2), loss);
        await run();
        costs.push(await counted(made, run));
      }
      const [first, second] = costs as [Counters, Counters];
      expect(second.uploads).toBe(first.uploads);
      expect(second.downloads).toBe(first.downloads);
      expect(second.compiled).toBe(0);
      // Forward and backward, a product and a map each; that forward has more results than a map may have, and so is two.
      expect((second.launches - first.launches) / 32).toBeLessThan(5 + 0.5);
      model.dispose();
    }));
});

onGpu("what is asked for in one turn", () => {
  /** Buffers that kernels have written, of so many rows and columns. */
  const written = ({ backend }: Opened, sizes: readonly (readonly [number, number])[]) =>
    sizes.map(([rows, width]) => {
      const numbers = Float32Array.from({ length: rows * width }, (_, i) => (i % 97) + width);
      const [from, to] = [bufferOf(backend, numbers), backend.alloc(numbers.length)];
      backend
        .prepare(pointwise("neg", width))
        .bind(rows, [view(from, width), view(to, width)])
        .run(0);
      return { to, negated: numbers.map((x) => -x) };
    });

  test("comes in one download, of any widths, and from anywhere", () =>
    opened(async (made) => {
      const all = written(made, [[4, 3], [2, 50], [7, 1]]); // prettier-ignore
      const into = all.map(({ negated }) => new Float32Array(negated.length - 2));
      const cost = await counted(made, () =>
        Promise.all(all.map(({ to }, i) => made.backend.read(to, into[i] as Float32Array, 1))),
      );
      expect(cost.downloads).toBe(1);
      expect(into).toEqual(all.map(({ negated }) => negated.slice(1, -1)));
    }));

  test("comes in several where a texture has too few lines", () =>
    opened(async (made) => {
      const all = written(made, [[made.device.size, 1], [9, 2]]); // prettier-ignore
      const cost = await counted(made, async () => {
        const found = await Promise.all(all.map(({ to }) => numbersOf(made.backend, to)));
        expect(found).toEqual(all.map(({ negated }) => negated));
      });
      expect(cost.downloads).toBe(2);
    }));
});

onGpu("memory", () => {
  test(
    "textures and the process stay as large as they are, 10,000 sequences long",
    { timeout: 600_000 },
    () =>
      opened(async ({ backend, device }) => {
        const model = createModel(stack(recurrent(gru, { inputSize: I, hiddenSize: H })), backend, {
          seed: 1,
        });
        const run = (i: number) => model.run(input(4, 1 + (i % 3)));
        for (let i = 0; i < 10; i++) await run(i);
        const [textures, compiled, resident] = [
          device.counters.textures,
          device.counters.compiled,
          process.memoryUsage().rss,
        ];
        for (let i = 0; i < 10_000; i++) await run(i);
        expect(device.counters.textures).toBe(textures);
        expect(device.counters.compiled).toBe(compiled);
        // What isn't freed of 10,000 sequences would be 140 kB each (measured of gpu.js without delete).
        expect(process.memoryUsage().rss - resident).toBeLessThan(64 * 2 ** 20);
        model.dispose();
      }),
  );

  test("a disposed model's textures are used again", () =>
    opened(async ({ backend, device }) => {
      const once = async (): Promise<void> => {
        const model = createModel(stack(recurrent(gru, { inputSize: I, hiddenSize: H })), backend, {
          seed: 1,
        });
        await model.run(input(4, 1));
        model.dispose();
      };
      for (let i = 0; i < 3; i++) await once();
      const { textures } = device.counters;
      for (let i = 0; i < 5; i++) await once();
      expect(device.counters.textures).toBe(textures);
    }));
});
