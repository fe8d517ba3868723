/** Random cells, forward and adjoint, judged like the shipped ones; a cell that fails is made smaller first. */
import { recurrent, stack } from "@recurra/core";
import { forCases, LawBroken, Tally, type Statement } from "../law.ts";
import { cellOf, drawRecipe, print, smaller, type Recipe } from "../random-cell.ts";
import type { Subject } from "../subject.ts";
import { describeShapes, judgeSubject, shapesFor, type Shapes } from "./cells.ts";

export const subjectOf = (recipe: Recipe, reverse = false): Subject => ({
  name: `a random cell (${print(recipe)})`,
  network: ({ I, H }) => stack(recurrent(cellOf(recipe, H), { inputSize: I, hiddenSize: H, reverse })),
});

/** How many smaller cells are tried, each costing as much as the failure did. */
const attempts = 60;

export const randomCells: Statement = {
  name: "random cells",
  body: (tally, setting) =>
    forCases(tally, setting, "random cells", 40, async (draw, size, _, index) => {
      // Large ones take a hundred times as long.
      if (size === "large" && index >= Math.max(1, 5 * setting.scale)) return;
      const [recipe, reverse, seed] = [drawRecipe(draw), draw.chance(0.3), draw.below(2 ** 30)];
      const shapes = shapesFor(draw, size);
      const judge = (of: Recipe, at: Shapes, into: Tally): Promise<void> =>
        judgeSubject(into, setting, subjectOf(of, reverse), at, seed);
      try {
        await judge(recipe, shapes, tally);
      } catch (error) {
        throw await shrink(recipe, shapes, error, (of, at) => judge(of, at, new Tally(tally.accuracy)));
      }
    }),
};

/** The failure of the smallest cell and shapes that still fail. */
async function shrink(
  recipe: Recipe,
  shapes: Shapes,
  failure: unknown,
  judge: (recipe: Recipe, shapes: Shapes) => Promise<void>,
): Promise<unknown> {
  let [best, at, broken] = [recipe, shapes, failure];
  let left = attempts;
  for (let smallerFound = true; smallerFound && left > 0;) {
    smallerFound = false;
    const candidates = [
      ...(["steps", "batch", "H", "I"] as const).flatMap((key) =>
        at[key] > 1 ? [{ recipe: best, shapes: { ...at, [key]: Math.floor(at[key] / 2) } }] : [],
      ),
      ...[...smaller(best)].map((r) => ({ recipe: r, shapes: at })),
    ];
    for (const candidate of candidates) {
      if (left-- <= 0) break;
      try {
        await judge(candidate.recipe, candidate.shapes);
      } catch (error) {
        [best, at, broken] = [candidate.recipe, candidate.shapes, error];
        smallerFound = true;
        break;
      }
    }
  }
  if (broken instanceof LawBroken) return broken;
  return new LawBroken(
    `${print(best)}, ${describeShapes(at)}: ${broken instanceof Error ? broken.stack : String(broken)}`,
  );
}
