/** Each kernel alone: random ones, on random views and shapes, within the bounds that the backend's accuracy gives. */
import type { Backend } from "@recurra/core/internal";
import type { Draw } from "../draw.ts";
import { judge, shapesOf, type Case } from "../kernels.ts";
import {
  randomGather,
  randomGemm,
  randomMap,
  randomOuter,
  randomReduce,
  randomScatterAdd,
} from "../random-kernels.ts";
import { forCases, type Statement } from "../law.ts";

const law = (
  name: string,
  count: number,
  random: (draw: Draw, size: "small" | "large", backend: Backend) => Case,
): Statement => ({
  name,
  body: (tally, setting, backend) =>
    forCases(tally, setting, name, count, async (draw, size, context) => {
      const drawn = random(draw, size, backend);
      context(shapesOf(drawn));
      await judge(backend, tally, draw, drawn);
    }),
});

export const kernelLaws: readonly Statement[] = [
  law("map", 60, randomMap),
  law("gemm", 40, randomGemm),
  law("gemm over rows", 30, randomOuter),
  law("reduce", 20, randomReduce),
  law("gather", 20, randomGather),
  law("scatterAdd", 16, randomScatterAdd),
];
