/** Random cells, forward and adjoint, judged like the shipped ones; a cell that fails is made smaller first. */
import { recurrent, stack, type RecurrentOptions } from "@recurra/core";
import type { Draw } from "../draw.ts";
import { forCases, LawBroken, Tally, type Statement } from "../law.ts";
import { cellOf, drawRecipe, print, smaller, type Recipe } from "../random-cell.ts";
import type { Subject } from "../subject.ts";
import { describeShapes, judgeSubject, shapesFor, type Shapes } from "./cells.ts";

type Wiring = Pick<RecurrentOptions, "reverse" | "layers" | "bidirectional">;

/** Mostly a single layer, forward. */
export const drawWiring = (draw: Draw): Wiring =>
  draw.pick<Wiring>([
    {},
    {},
    {},
    { reverse: true },
    { reverse: true },
    { layers: 2 },
    { bidirectional: true },
  ]);

export const subjectOf = (recipe: Recipe, wiring: Wiring = {}): Subject => ({
  name: `a random cell (${print(recipe)}${Object.entries(wiring)
    .map(([key, value]) => `; ${key} ${String(value)}`)
    .join("")})`,
  network: ({ I, H }) => stack(recurrent(cellOf(recipe, H), { inputSize: I, hiddenSize: H, ...wiring })),
});

/** How many smaller cells are tried, each costing as much as the failure did. */
const attempts = 60;

export const randomCells: Statement = {
  name: "random cells",
  body: (tally, setting, backend) =>
    forCases(tally, setting, "random cells", 40, async (draw, size, _, index) => {
      // Large ones take a hundred times as long.
      if (size === "large" && index >= Math.max(1, 5 * setting.scale)) return;
      const [recipe, wiring, seed] = [drawRecipe(draw), drawWiring(draw), draw.below(2 ** 30)];
      const shapes = shapesFor(draw, size);
      const judge = (of: Recipe, at: Shapes, into: Tally): Promise<void> =>
        judgeSubject(into, setting, backend, subjectOf(of, wiring), at, seed);
      try {
        await judge(recipe, shapes, tally);
      } catch (error) {
        const smallest = await shrink(recipe, shapes, error, (of, at) =>
          judge(of, at, new Tally(tally.accuracy)),
        );
        if (smallest.error instanceof LawBroken) throw smallest.error;
        tally.trying(
          `seed ${setting.seed}, ${print(smallest.recipe)}, ${describeShapes(smallest.shapes)}, values ${seed}`,
        );
        throw smallest.error;
      }
    }),
};

interface Failure {
  readonly recipe: Recipe;
  readonly shapes: Shapes;
  readonly error: unknown;
}

/** The smallest cell and shapes that still fail. */
async function shrink(
  recipe: Recipe,
  shapes: Shapes,
  error: unknown,
  judge: (recipe: Recipe, shapes: Shapes) => Promise<void>,
): Promise<Failure> {
  let best: Failure = { recipe, shapes, error };
  let left = attempts;
  for (let found = true; found && left > 0;) {
    found = false;
    const { recipe: r, shapes: s } = best;
    const candidates = [
      ...(["steps", "batch", "H", "I"] as const).flatMap((key) =>
        s[key] > 1 ? [{ recipe: r, shapes: { ...s, [key]: Math.floor(s[key] / 2) } }] : [],
      ),
      ...[...smaller(r)].map((less) => ({ recipe: less, shapes: s })),
    ];
    for (const candidate of candidates) {
      if (left-- <= 0) break;
      try {
        await judge(candidate.recipe, candidate.shapes);
      } catch (broken) {
        best = { ...candidate, error: broken };
        found = true;
        break;
      }
    }
  }
  return best;
}
