/** A backend with the least limits that there may be is given no map that is larger, whatever cell it comes from. */
import { mapLimits, recurrent, stack } from "@recurra/core";
import { backward, compile, verify, type CompileOptions } from "@recurra/core/internal";
import { expect, it } from "vitest";
import { Draw } from "../src/draw.ts";
import { taskOf } from "../src/program.ts";
import { cellOf, drawRecipe, print } from "../src/random-cell.ts";

type CompileTarget = CompileOptions["target"];

it("maps of random cells and their gradients are split to 3 inputs and 1 output", () => {
  const free: CompileTarget = { limits: { rows: Infinity }, inPlace: false, projection: "before" };
  const narrow = { ...free, limits: { ...free.limits, maps: mapLimits({ inputs: 3, outputs: 1 }) } };
  let split = 0;
  for (let i = 0; i < 300; i++) {
    const recipe = drawRecipe(new Draw(1, "map limits", i));
    const network = stack(recurrent(cellOf(recipe, 2), { inputSize: 2, hiddenSize: 2 }));
    const { graph, ...task } = taskOf(network, { gradient: true, traced: i % 3 === 0 });
    const launches = (target: CompileTarget): number =>
      compile(graph, { name: print(recipe), ...task, target, backward, check: verify }).sections.flatMap(
        ({ parts }) => parts.flatMap((part) => part.launches),
      ).length;
    if (launches(narrow) > launches(free)) split++;
  }
  expect(split).toBeGreaterThan(150);
});
