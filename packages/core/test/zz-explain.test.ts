import { it } from "vitest";
import { recurrent, stack, lstm, gru, gruResetBefore, minGru, createModel, dense, embedding, last } from "../src/index.ts";
import { explain } from "../src/explain.ts";
import { openPlain } from "./support/plain-backend.ts";
it("x", () => {
  const m = createModel(stack(recurrent(lstm, { inputSize: 10, hiddenSize: 20 }), dense({inputSize:20, outputSize: 5})), openPlain());
  console.log(explain(m));
  console.log(explain(m, { steps: 100, batch: 8 }));
  console.log(explain(m, { kind: "gradient" }));
  const n = createModel(stack(embedding({vocabularySize: 7, outputSize: 10}), recurrent(minGru, { inputSize: 10, hiddenSize: 20 }), last), openPlain());
  console.log(explain(n, { kind: "gradient" }));
});
