/** Values that share memory don't meet: a program gives the same bits with and without the pass that lets them. */
import { expect, it } from "vitest";
import type { Program } from "../src/backend.ts";
import { gradientRecipe } from "../src/gradient.ts";
import { backward, compile, execute, prepare } from "../src/internal.ts";
import { cells } from "./support/all-cells.ts";
import { numbers } from "./support/expected.ts";
import { openPlain } from "./support/plain-backend.ts";
import { single, wide } from "./support/programs.ts";

const [steps, batch] = [5, 2];

/** Everything that a program leaves, from numbers that its names' order decides. */
function results(program: Program): Record<string, Float32Array> {
  // Chunks of 2, 2 and 1 steps.
  const backend = openPlain({ limits: { ...wide.limits, rows: 2 * batch } });
  const draw = numbers(1);
  const parameters = new Map(
    Object.entries(program.parameters).map(([name, index]) => {
      const { rows, width } = program.buffers[index]!;
      const buffer = backend.alloc(Number(rows) * width);
      backend.write(buffer, draw(Number(rows), width).data, 0);
      return [name, buffer];
    }),
  );
  const execution = execute(prepare(program, backend), backend, parameters, steps, batch);
  for (const [name, index] of Object.entries(program.inputs)) {
    const { width } = program.buffers[index]!;
    const { data } = draw(steps, batch, width);
    execution.writeInput(name, name === "mask" ? data.map((v) => Number(v > 0)) : data);
  }
  for (const { name, buffer } of program.states)
    execution.writeState(name, draw(batch, program.buffers[buffer]!.width).data);
  execution.run(steps);
  return Object.fromEntries(
    Object.entries(program.outputs).map(([name, { buffer: index }]) => {
      const { rows, width } = program.buffers[index]!;
      const { buffer, offset } = execution.output(name);
      const data = new Float32Array(rows === "batch" ? steps * batch * width : rows * width - offset);
      backend.readSync(buffer, data, offset);
      return [name, data];
    }),
  );
}

it.each(Object.entries(cells))("%s", (_, cell) => {
  const [apart, sharing] = [(p: Program): Program => p, backward.share].map((share) => {
    const graph = single(cell, { bidirectional: true }).build({ masked: true });
    const recipe = { ...gradientRecipe(graph), backward: { ...backward, share } };
    return compile(graph, { name: "gradient", ...recipe, target: wide });
  }) as [Program, Program];
  expect(sharing.buffers.length).toBeLessThan(apart.buffers.length);
  expect(results(sharing)).toEqual(results(apart));
});
