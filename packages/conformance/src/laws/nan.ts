/** A NaN comes out where it went in, and stays in its own row: forward, and in the gradients of inputs and states. */
import { evaluate, finalState, type Backend } from "@recurra/core/internal";
import { functionNames, meaning } from "../functions.ts";
import { judge, shapesOf, type Case } from "../kernels.ts";
import { forCases, type Setting, type Statement, type Tally } from "../law.ts";
import { differentiates, givenFor, Runner, taskOf } from "../program.ts";
import { randomGather, randomGemm, randomReduce } from "../random-kernels.ts";
import { cells, networks } from "../subject.ts";
import { describeShapes, shapesFor } from "./cells.ts";
import { sweep } from "./functions.ts";

/** Each function of a NaN is NaN. Comparisons aren't asked, and a select only for what it chooses. */
async function throughFunctions(tally: Tally, setting: Setting, backend: Backend): Promise<void> {
  for (const fn of functionNames) {
    if (["less", "lessEqual", "equal"].includes(fn)) continue;
    tally.trying(`NaN in ${fn}`);
    const { arity } = meaning[fn];
    const given = fn === "select" ? [[1, NaN, 2], [1, 2, NaN], [0, NaN, 2], [0, 2, NaN]] : [[NaN, 2, 3], [1, 2, 3], [2, NaN, 3]]; // prettier-ignore
    // What a clamp's limits make of NaN depends on how they are written.
    const asked = fn === "clamp" ? given.slice(0, 2) : given;
    await sweep(tally, setting, backend, fn, asked.map((operands) => operands.slice(0, arity))); // prettier-ignore
  }
}

/** Some elements of a kernel's inputs are NaN; every element of its result is NaN just where the oracle says. */
async function throughKernels(tally: Tally, setting: Setting, backend: Backend): Promise<void> {
  await forCases(tally, setting, "nan kernels", 10, async (draw, size, context, index) => {
    const random = [randomGemm, randomReduce, randomGather][index % 3]!;
    const drawn = random(draw, size);
    const { values = (_, d) => d.between(-2, 2), kernel } = drawn;
    const isIndex = (input: number): boolean => kernel.op === "gather" && input === 1;
    const rows: Case["values"] = (i, d) => (!isIndex(i) && i === 0 && d.chance(0.03) ? NaN : values(i, d));
    context(shapesOf(drawn));
    await judge(backend, tally, draw, { ...drawn, values: rows });
  });
}

const subjects = [...cells, ...networks].filter((s) => s.ids === undefined);

export const nan: Statement = {
  name: "a NaN stays in its own row",
  async body(tally, setting, backend) {
    if (!backend.accuracy.nan) return tally.skip("NaN isn't promised (accuracy.nan)");
    await throughFunctions(tally, setting, backend);
    await throughKernels(tally, setting, backend);
    await forCases(tally, setting, "nan", 6, async (draw, size, context, index) => {
      if (size === "large" && index >= 2) return;
      const subject = draw.pick(subjects);
      const shapes = {
        ...shapesFor(draw, size),
        batch: size === "small" ? draw.pick([2, 3, 5]) : 9,
        H: size === "small" ? 5 : 17,
      };
      const { steps, batch } = shapes;
      const [t, b] = [draw.below(steps), draw.below(batch)];
      context(`${subject.name}, ${describeShapes(shapes)}, NaN in row ${b} at step ${t}`);
      const task = taskOf(subject.network(shapes), { gradient: differentiates(backend) });
      const given = givenFor(draw, subject, task, shapes);
      const runner = new Runner(backend, task);
      const clean = await runner.run(given);
      for (const data of Object.values(given.inputs).slice(0, 1))
        data[(t * batch + b) * (data.length / (steps * batch))] = NaN;
      const dirty = await runner.run(given);

      const wanted = [...task.outputs].filter(([, node]) => node.domain !== "one");
      const found = evaluate(
        task.graph,
        [...wanted.map(([, node]) => node), ...task.states.map((s) => task.graph.next.get(s)!)],
        given,
      );
      const compare = (
        name: string,
        width: number,
        got: Float32Array,
        before: Float32Array,
        expected: Float64Array,
      ): void =>
        got.forEach((value, i) => {
          const row = Math.floor(i / width) % batch;
          const at = (): string => `${name}, row ${row}, element ${i}`;
          if (row !== b)
            tally.check(
              Object.is(value, before[i]),
              () => `${at()}: expected ${before[i]} as without the NaN, got ${value}`,
            );
          else
            tally.check(
              Number.isNaN(value) === Number.isNaN(expected[i]),
              () => `${at()}: expected ${expected[i]}, got ${value}`,
            );
        });
      for (const [name, node] of wanted)
        compare(name, node.width, dirty.outputs[name]!, clean.outputs[name]!, found.get(node)!.data);
      for (const s of task.states)
        compare(
          `final state ${s.name}`,
          s.width,
          dirty.states[s.name]!,
          clean.states[s.name]!,
          finalState(task.graph, s, found, given).data,
        );
    });
  },
};
