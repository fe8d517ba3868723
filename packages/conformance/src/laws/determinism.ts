/** The same program on the same input gives the same bits twice. */
import { forCases, withBackend, type Statement } from "../law.ts";
import { differentiates, givenFor, Runner, taskOf, type Results } from "../program.ts";
import { cells, networks } from "../subject.ts";
import { describeShapes, shapesFor } from "./cells.ts";

export const determinism: Statement = {
  name: "the same bits twice",
  body: (tally, setting) =>
    forCases(tally, setting, "determinism", 2, async (draw, size, context) => {
      const subject = draw.pick([...cells, ...networks]);
      const shapes = { ...shapesFor(draw, size), H: size === "small" ? 5 : 17 };
      context(`${subject.name}, ${describeShapes(shapes)}`);
      const task = taskOf(subject.network(shapes), { gradient: differentiates(tally) });
      const given = givenFor(draw, subject, task, shapes);
      let first: Results | undefined;
      const compare = (results: Results, how: string): void => {
        first ??= results;
        for (const [name, data] of Object.entries(results.outputs))
          tally.same(data, first.outputs[name]!, (i) => `${how}: element ${i} of ${name}`);
        for (const [name, data] of Object.entries(results.states))
          tally.same(data, first.states[name]!, (i) => `${how}: element ${i} of final state ${name}`);
      };
      for (const how of ["the first time", "on a fresh backend"])
        await withBackend(setting, async (backend) => {
          const bound = new Runner(backend, task).bind(shapes.steps, shapes.batch, given.parameters);
          for (const again of ["", ", run again"]) {
            bound.write(given);
            compare(await bound.run(shapes.steps), how + again);
          }
          bound.dispose();
        });
    }),
};
