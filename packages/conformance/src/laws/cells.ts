/** Every shipped cell, and networks of them, forward and adjoint: each step alone, and end to end. */
import type { Backend } from "@recurra/core/internal";
import { Draw } from "../draw.ts";
import { expectationOf, judgeSteps, judgeWhole, sizeOfWhole } from "../judge.ts";
import { sizesOf, type Setting, type Statement, type Tally } from "../law.ts";
import { differentiates, givenFor, inSteps, Runner, taskOf, type Given } from "../program.ts";
import { awkward, cells, networks, type Subject } from "../subject.ts";

export interface Shapes {
  readonly steps: number;
  readonly batch: number;
  readonly I: number;
  readonly H: number;
}

/** Large ones have more steps than a chunk has rows for, and widths around a multiple of every vector. */
export function shapesFor(draw: Draw, size: "small" | "large"): Shapes {
  if (size === "small")
    return {
      steps: draw.pick([1, 2, 3, 5]),
      batch: draw.pick([1, 2, 3, 5]),
      I: draw.pick([1, 3, 5]),
      H: draw.pick([2, 3, 5, 7]),
    };
  const batch = draw.pick([1, 3, 5, 9]);
  return {
    steps: batch === 1 ? 67 : 18 + draw.below(4),
    batch,
    I: draw.pick([15, 17, 33]),
    H: draw.pick([31, 33, 65]),
  };
}

export const describeShapes = ({ steps, batch, I, H }: Shapes): string =>
  `T ${steps}, B ${batch}, I ${I}, H ${H}`;

/** One subject at some shapes, both ways of judging. Everything random comes from `draw`'s seed and path. */
export async function judgeSubject(
  tally: Tally,
  setting: Setting,
  backend: Backend,
  subject: Subject,
  shapes: Shapes,
  seed: number,
): Promise<void> {
  const context = `seed ${setting.seed}, ${subject.name}, ${describeShapes(shapes)}, values ${seed}`;
  // What is traced must not change what is computed.
  const task = taskOf(subject.network(shapes), { gradient: differentiates(backend), traced: seed % 3 === 0 });
  const given = (attempt: number): Given => {
    const draw = new Draw(seed, attempt);
    const drawn = givenFor(draw, subject, task, { ...shapes, defaults: draw.chance(0.3) });
    const { quantized } = tally.accuracy;
    return quantized && seed % 2 === 0 ? inSteps(drawn, task, quantized.weights) : drawn;
  };
  tally.trying(`${context}, one step`);
  judgeSteps(tally, task, given(0), await new Runner(backend, task, { history: true }).run(given(0)));

  for (let attempt = 0; attempt < draws; attempt++) {
    tally.trying(`${context}.${attempt}, end to end`);
    const expected = expectationOf(setting, tally.accuracy, `${context}.${attempt}`, task, given(attempt));
    if (!expected) continue; // float32 alone decides a branch
    judgeWhole(tally, task, given(attempt), await new Runner(backend, task).run(given(attempt)), expected);
    return;
  }
  tally.lost(sizeOfWhole(task, given(0)));
}

/** How often values are drawn again where a comparison is too close to call. */
const draws = 5;

export const cellLaws: readonly Statement[] = [...cells, ...networks, ...awkward].map(
  (subject): Statement => ({
    name: subject.name,
    async body(tally, setting, backend) {
      for (const size of sizesOf(setting))
        for (let i = 0; i < Math.max(1, Math.round((size === "small" ? 4 : 1) * setting.scale)); i++) {
          const draw = new Draw(setting.seed, subject.name, size, i);
          const { I, H, ...shapes } = shapesFor(draw, size);
          const { widest = Infinity } = subject;
          const fitting = { ...shapes, I: Math.min(I, widest), H: Math.min(H, widest) };
          await judgeSubject(tally, setting, backend, subject, fitting, draw.below(2 ** 30));
        }
    },
  }),
);
