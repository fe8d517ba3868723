/** What `explain` prints of the cells that everyone knows. Read these in review: they are the plan. */
import { describe, expect, it } from "vitest";
import {
  createModel,
  dense,
  explain,
  gru,
  gruResetBefore,
  lstm,
  minGru,
  recurrent,
  stack,
} from "../src/index.ts";
import { openPlain } from "./support/plain-backend.ts";
import { forward, single } from "./support/programs.ts";

describe("the kernels", () => {
  it("LSTM", () => {
    expect(explain(forward(single(lstm)))).toMatchInlineSnapshot(`
      "run: 534·T·B flops, 520·T·B + 576·T + 480 bytes read and written
                shape               flops          bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gemm  [T·B, 4]·[4, 24]  192·T·B  112·T·B + 480  v1 = 0.b + x·0.Wᵀ
        loop: at each of T steps
          gemm  [B, 6]·[6, 24]      288·B    216·B + 576  v2 = v1 + 0.h·0.Uᵀ
          map   [B, 6]               54·B          192·B  0.c′, output, 0.h′ = 3 sigmoid, 3 times, 2 tanh, plus of v2, 0.c

      memory                                shape                bytes
        parameters                                               1,056
          0.b                    parameter  [4, 6]                  96
          0.W                    parameter  [24, 4]                384
          0.U                    parameter  [24, 6]                576
        as long as the sequence                                 40·T·B
          x                      input      [T, B, 4]           16·T·B
          output                 output     [T, B, 6]           24·T·B
        the rest                                        96·C·B + 192·B
          v1                     value      [C, B, 24]          96·C·B
          0.h                    state      2 × [B, 6]            48·B
          v2                     value      [B, 24]               96·B
          0.c                    state      2 × [B, 6]            48·B"
    `);
  });

  it("GRU, the reset after the product", () => {
    expect(explain(forward(single(gru)))).toMatchInlineSnapshot(`
      "run: 432·T·B flops, 400·T·B + 456·T + 360 bytes read and written
                shape               flops         bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gemm  [T·B, 4]·[4, 18]  144·T·B  88·T·B + 360  v1 = 0.b + x·0.Wᵀ
        loop: at each of T steps
          gemm  [B, 6]·[6, 18]      216·B    96·B + 432  v2 = 0.h·0.Uᵀ
          map   [B, 6]               72·B    216·B + 24  output, 0.h′ = 5 plus, 2 sigmoid, minus, 3 times, tanh of v1, v2, 0.d, 0.h

      memory                                shape                bytes
        parameters                                                 816
          0.b                    parameter  [3, 6]                  72
          0.W                    parameter  [18, 4]                288
          0.U                    parameter  [18, 6]                432
          0.d                    parameter  [1, 6]                  24
        as long as the sequence                                 40·T·B
          x                      input      [T, B, 4]           16·T·B
          output                 output     [T, B, 6]           24·T·B
        the rest                                        72·C·B + 120·B
          v1                     value      [C, B, 18]          72·C·B
          0.h                    state      2 × [B, 6]            48·B
          v2                     value      [B, 18]               72·B"
    `);
  });

  it("GRU, the reset before the product", () => {
    expect(explain(forward(single(gruResetBefore)))).toMatchInlineSnapshot(`
      "run: 408·T·B flops, 472·T·B + 432·T + 360 bytes read and written
                shape               flops         bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gemm  [T·B, 4]·[4, 18]  144·T·B  88·T·B + 360  v1 = 0.b + x·0.Wᵀ
        loop: at each of T steps
          gemm  [B, 6]·[6, 12]      144·B   120·B + 288  v2 = v1[0:12] + 0.h·0.U[0:12]ᵀ
          map   [B, 6]               12·B          72·B  v3 = sigmoid, times of v2, 0.h
          gemm  [B, 6]·[6, 6]        72·B    72·B + 144  v4 = v1[12:18] + v3·0.U[12:18]ᵀ
          map   [B, 6]               36·B         120·B  output, 0.h′ = sigmoid, 2 times, minus, tanh, plus of v2, 0.h, v4

      memory                                shape                bytes
        parameters                                                 792
          0.b                    parameter  [3, 6]                  72
          0.W                    parameter  [18, 4]                288
          0.U                    parameter  [18, 6]                432
        as long as the sequence                                 40·T·B
          x                      input      [T, B, 4]           16·T·B
          output                 output     [T, B, 6]           24·T·B
        the rest                                        72·C·B + 144·B
          v1                     value      [C, B, 18]          72·C·B
          0.h                    state      2 × [B, 6]            48·B
          v2                     value      [B, 12]               48·B
          v3                     value      [B, 6]                24·B
          v4                     value      [B, 6]                24·B"
    `);
  });

  it("minGRU: next to nothing is left in the loop", () => {
    expect(explain(forward(single(minGru)))).toMatchInlineSnapshot(`
      "run: 126·T·B flops, 280·T·B + 240 bytes read and written
                shape              flops         bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gemm  [T·B, 4]·[4, 12]  96·T·B  64·T·B + 240  v1 = 0.b + x·0.Wᵀ
          map   [T·B, 6]          18·T·B        96·T·B  v2, v3 = sigmoid, minus, times of v1
        loop: at each of T steps
          map   [B, 6]              12·B         120·B  output, 0.h′ = times, plus of v2, 0.h, v3

      memory                                shape               bytes
        parameters                                                240
          0.b                    parameter  [2, 6]                 48
          0.W                    parameter  [12, 4]               192
        as long as the sequence                                40·T·B
          x                      input      [T, B, 4]          16·T·B
          output                 output     [T, B, 6]          24·T·B
        the rest                                        96·C·B + 48·B
          v1                     value      [C, B, 12]         48·C·B
          v2                     value      [C, B, 6]          24·C·B
          v3                     value      [C, B, 6]          24·C·B
          0.h                    state      2 × [B, 6]           48·B"
    `);
  });
});

describe("a model", () => {
  const net = stack(
    recurrent(lstm, { inputSize: 10, hiddenSize: 20 }),
    dense({ inputSize: 20, outputSize: 5 }),
  );
  const model = createModel(net, openPlain());

  it("is explained with numbers where sizes are given", () => {
    expect(explain(model, { steps: 100, batch: 8 })).toMatchInlineSnapshot(`
      "run: 4,144,000 flops, 2,099,940 bytes read and written
                shape                   flops    bytes
      forward: from the first step to the last, in chunks of 16
        rows before the loop
          gemm  [800, 10]·[10, 80]  1,280,000  291,520  v1 = 0.b + x·0.Wᵀ
        loop: at each of 100 steps
          gemm  [8, 20]·[20, 80]       25,600   12,160  v2 = v1 + 0.h·0.Uᵀ
          map   [8, 20]                 1,440    5,120  0.c′, v3, 0.h′ = 3 sigmoid, 3 times, 2 tanh, plus of v2, 0.c
        rows after the loop
          gemm  [800, 20]·[20, 5]     160,000   80,420  output = 1.b + v3·1.Wᵀ

      memory                                shape          bytes
        parameters                                        10,340
          0.b                    parameter  [4, 20]          320
          0.W                    parameter  [80, 10]       3,200
          0.U                    parameter  [80, 20]       6,400
          1.b                    parameter  [1, 5]            20
          1.W                    parameter  [5, 20]          400
        as long as the sequence                           48,000
          x                      input      [100, 8, 10]  32,000
          output                 output     [100, 8, 5]   16,000
        the rest                                          56,320
          v1                     value      [16, 8, 80]   40,960
          0.h                    state      2 × [8, 20]    1,280
          v2                     value      [8, 80]        2,560
          0.c                    state      2 × [8, 20]    1,280
          v3                     value      [16, 8, 20]   10,240"
    `);
  });

  it("is explained as its backend runs it", () => {
    const joined = createModel(net, openPlain({ projection: "joined" }));
    expect(explain(joined)).toContain("v1 = 0.b + x·0.Wᵀ + 0.h·0.Uᵀ");
    expect(explain(model)).not.toContain("x·0.Wᵀ + 0.h·0.Uᵀ");
  });

  it("counts two operations for each product of its gemms, and one for each function", () => {
    // 4 gates of 20 from 10 + 20, then 5 from 20; 9 functions of 20.
    const flops = 2 * 80 * (10 + 20) + 2 * 5 * 20 + 9 * 20;
    expect(explain(model).split("\n")[0]).toContain(`run: ${flops.toLocaleString("en-US")}·T·B flops`);
    expect(explain(model, { batch: 3 }).split("\n")[0]).toContain(
      `run: ${(flops * 3).toLocaleString("en-US")}·T flops`,
    );
    expect(explain(model, { steps: 7, batch: 3 }).split("\n")[0]).toContain(
      `run: ${(flops * 21).toLocaleString("en-US")} flops`,
    );
  });

  it("says for a gradient what is kept for the whole sequence", () => {
    const text = explain(model, { kind: "gradient" });
    expect(text).toMatch(/0\.c +history +\[T\+1, B, 20\]/);
    expect(explain(model, { kind: "gradient", steps: 9, batch: 2 })).toMatch(
      /0\.c +history +\[10, 2, 20\] +1,600/,
    );
  });

  it("is unchanged by it", () => {
    const x = { shape: [2, 1, 10], data: new Float32Array(20).fill(0.3) };
    const before = model.runSync(x);
    explain(model, { kind: "gradient" });
    expect(model.runSync(x)).toEqual(before);
  });
});
