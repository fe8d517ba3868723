/** Every pointwise function over its whole domain, within the error that the backend declares; and at the extremes. */
import type { Backend, FunctionName } from "@recurra/core/internal";
import { functionNames, meaning } from "../functions.ts";
import type { Setting, Statement, Tally } from "../law.ts";
import { expectedOf } from "../reference.ts";
import { DeviceMatrix } from "../matrix.ts";
import { Draw } from "../draw.ts";

/** One function on given operands, a row each. */
export async function sweep(
  tally: Tally,
  setting: Setting,
  backend: Backend,
  fn: FunctionName,
  operands: readonly (readonly number[])[],
): Promise<void> {
  const { arity } = meaning[fn];
  const rows = operands.length;
  const width = 1;
  const kernel = {
    op: "map",
    width,
    inputs: arity,
    instructions: [{ fn, args: Array.from({ length: arity }, (_, input) => ({ input })) }],
    outputs: [0],
  } as const;
  const draw = new Draw(setting.seed, fn);
  const inputs = Array.from({ length: arity }, (_, i) => {
    return new DeviceMatrix(backend, draw, { rows, width, slots: 1 }).fill((_, r) => operands[r]![i]!);
  });
  const output = new DeviceMatrix(backend, draw, { rows, width, slots: 1 }).fill(() => 0);
  const found = inputs.map((m) => ({ rows, width, data: m.values(0) }));
  const [expected] = expectedOf(kernel, rows, found, backend.accuracy);
  backend
    .prepare(kernel)
    .bind(
      rows,
      [...inputs, output].map((m) => m.view),
    )
    .run(0);
  const got = await output.result(0, tally, "the output");
  tally.within(got, expected!, (r) => `${fn}(${found.map(({ data }) => data[r]).join(", ")})`);
  for (const m of [...inputs, output]) m.free();
}

const f32 = Math.fround;

/** Nobody promises what lies between limits that are the wrong way round, or to make a NaN where none came in. */
const defined = (fn: FunctionName, [a = 0, b = 0, c = 0]: readonly number[]): boolean =>
  !Number.isNaN(meaning[fn].value(a, b, c)) && (fn !== "clamp" || b <= c);

export const functions: Statement = {
  name: "functions",
  async body(tally, setting, backend) {
    for (const fn of functionNames) {
      tally.trying(`seed ${setting.seed}, a sweep of ${fn}`);
      const draw = new Draw(setting.seed, "sweep", fn);
      // Every magnitude, and densely where functions bend.
      const one = (): number =>
        f32(
          draw.chance(0.4)
            ? draw.between(-20, 20)
            : draw.pick([1, -1]) * 10 ** draw.between(-12, draw.pick([0, 1.8])),
        );
      const operands: number[][] = [];
      for (let i = 0; i < 1500 * Math.max(0.2, setting.scale); i++) {
        const args = [one(), draw.chance(0.1) ? (operands[i - 1]?.[0] ?? 1) : one(), one()].slice(
          0,
          meaning[fn].arity,
        );
        const result = meaning[fn].value(args[0]!, args[1] ?? 0, args[2] ?? 0);
        if (defined(fn, args) && Number.isFinite(result) && Math.abs(result) < 1e38) operands.push(args);
      }
      await sweep(tally, setting, backend, fn, operands);
    }
  },
};

const extreme = [
  0,
  -0,
  88,
  -88,
  1e4,
  -1e4,
  f32(1e-40),
  f32(-1e-40),
  2 ** -149,
  1,
  -1,
  0.5,
  2 ** -126,
  f32(3e38),
  f32(-3e38),
];
/** A stabiliser begins at −∞; of ∞ there is only what such a state needs. */
const infinite: readonly (readonly [FunctionName, readonly number[]])[] = [
  ["plus", [-Infinity, 2]],
  ["minus", [-Infinity, 2]],
  ["max", [-Infinity, 2]],
  ["max", [2, -Infinity]],
  ["exp", [-Infinity]],
  ["copy", [-Infinity]],
  ["select", [1, -Infinity, 2]],
  ["select", [0, -Infinity, 2]],
  ["less", [-Infinity, 2]],
];

export const extremes: Statement = {
  name: "extremes",
  async body(tally, setting, backend) {
    if (!tally.accuracy.subnormals)
      tally.skip("subnormal results may be flushed to zero (accuracy.subnormals)");
    for (const fn of functionNames) {
      tally.trying(`the extremes of ${fn}`);
      const { arity } = meaning[fn];
      const choices = Array.from({ length: arity }, (_, i) =>
        i === 0 ? extreme : arity === 3 ? extreme.slice(0, 6) : extreme,
      );
      const all = choices.reduce<number[][]>(
        (found, values) => found.flatMap((f) => values.map((v) => [...f, v])),
        [[]],
      );
      await sweep(
        tally,
        setting,
        backend,
        fn,
        all.filter((operands) => defined(fn, operands)),
      );
    }
    for (const [fn, operands] of infinite) {
      tally.trying(`${fn} of ${operands.join()}`);
      await sweep(tally, setting, backend, fn, [operands]);
    }
  },
};
