/** What `explain` prints of the cells that everyone knows. Read these in review: they are the plan. */
import { describe, expect, it } from "vitest";
import {
  createModel,
  dense,
  embedding,
  explain,
  gru,
  gruResetBefore,
  last,
  lstm,
  minGru,
  network,
  recurrent,
  stack,
} from "../src/index.ts";
import { openPlain } from "./support/plain-backend.ts";
import { backward, forward, single } from "./support/programs.ts";

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

  it("LSTM, gradient", () => {
    expect(explain(backward(single(lstm)))).toMatchInlineSnapshot(`
      "gradient: 1,680·T·B flops, 1,920·T·B + 1,152·T + 1,924 bytes read and written
                shape                 flops          bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gemm  [T·B, 4]·[4, 24]    192·T·B  112·T·B + 480  v1 = 0.b + x·0.Wᵀ
        loop: at each of T steps
          gemm  [B, 6]·[6, 24]        288·B    216·B + 576  v2 = v1 + 0.h·0.Uᵀ
          map   [B, 6]                 54·B          336·B  v3, v4, v5, v6, 0.c(t), 0.c′, v7, output(t), 0.h′ = 3 sigmoid, 3 times, 2 tanh, plus of v2, 0.c
      reverse: from the last step to the first, in chunks of C
        rows before the loop
          map   [T·B, 6]             60·T·B        240·T·B  v8, v9, v10, v11, v12 = 5 minus, 5 times of v3, v7, v6, v4, v5
        loop: at each of T steps
          map   [B, 6]                 78·B          456·B  v13, d.0.c′ = 2 plus, 11 times of d.output, d.0.h, v7, v8, v3, v9, d.0.c, v5, v10, 0.c(t−1), v11, v6, v12, v4
          gemm  [B, 24]·[24, 6]       288·B    120·B + 576  d.0.h′ = v13·0.U
        rows after the loop
          gemm  [T·B, 24]·[24, 4]   192·T·B  112·T·B + 384  d.input x = v13·0.W
      whole: all T steps at once
        rows
          gemm  [1, T·B]·[T·B, 24]   48·T·B   96·T·B + 100  d.0.b = 1ᵀ·v13
          gemm  [24, T·B]·[T·B, 6]  288·T·B  120·T·B + 576  d.0.U = v13ᵀ·output(t−1)
          gemm  [24, T·B]·[T·B, 4]  192·T·B  112·T·B + 384  d.0.W = v13ᵀ·x

      memory                                shape                          bytes
        parameters                                                         1,056
          0.b                    parameter  [4, 6]                            96
          0.W                    parameter  [24, 4]                          384
          0.U                    parameter  [24, 6]                          576
        as long as the sequence                                   320·T·B + 48·B
          x                      input      [T, B, 4]                     16·T·B
          v3                     value      [T, B, 6]                     24·T·B
          v4                     value      [T, B, 6]                     24·T·B
          v5                     value      [T, B, 6]                     24·T·B
          v6                     value      [T, B, 6]                     24·T·B
          0.c                    history    [T+1, B, 6]            24·T·B + 24·B
          v7                     value      [T, B, 6]                     24·T·B
          output                 output     [T+1, B, 6]            24·T·B + 24·B
          v13                    value      [T, B, 24]                    96·T·B
          d.output               input      [T, B, 6]                     24·T·B
          d.input x              output     [T, B, 4]                     16·T·B
        the rest                                         216·C·B + 288·B + 1,060
          v1                     value      [C, B, 24]                    96·C·B
          0.h                    state      2 × [B, 6]                      48·B
          v2                     value      [B, 24]                         96·B
          0.c                    state      2 × [B, 6]                      48·B
          v8                     value      [C, B, 6]                     24·C·B
          v9                     value      [C, B, 6]                     24·C·B
          v10                    value      [C, B, 6]                     24·C·B
          v11                    value      [C, B, 6]                     24·C·B
          v12                    value      [C, B, 6]                     24·C·B
          d.0.h                  state      2 × [B, 6]                      48·B
          d.0.c                  state      2 × [B, 6]                      48·B
          1                      constant   [1, 1]                             4
          d.0.b                  output     [4, 6]                            96
          d.0.U                  output     [24, 6]                          576
          d.0.W                  output     [24, 4]                          384"
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

  it("minGRU, gradient", () => {
    expect(explain(backward(single(minGru)))).toMatchInlineSnapshot(`
      "gradient: 402·T·B flops, 816·T·B + 676 bytes read and written
                shape                flops         bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gemm  [T·B, 4]·[4, 12]    96·T·B  64·T·B + 240  v1 = 0.b + x·0.Wᵀ
          map   [T·B, 6]            18·T·B       120·T·B  v2, v3, v4 = sigmoid, minus, times of v1
        loop: at each of T steps
          map   [B, 6]                12·B         120·B  output(t), 0.h′ = times, plus of v3, 0.h, v4
      reverse: from the last step to the first, in chunks of C
        rows before the loop
          map   [T·B, 6]             6·T·B        48·T·B  v3 = minus of v2
        loop: at each of T steps
          map   [B, 6]                12·B         120·B  v4, d.0.h′ = plus, times of d.output, d.0.h, v3
        rows after the loop
          map   [T·B, 6]            42·T·B       168·T·B  v5 = 5 times, neg, plus of v4, v2, v1, output(t−1), v3
          gemm  [T·B, 12]·[12, 4]   96·T·B  64·T·B + 192  d.input x = v5·0.W
      whole: all T steps at once
        rows
          gemm  [1, T·B]·[T·B, 12]  24·T·B   48·T·B + 52  d.0.b = 1ᵀ·v5
          gemm  [12, T·B]·[T·B, 4]  96·T·B  64·T·B + 192  d.0.W = v5ᵀ·x

      memory                                shape                      bytes
        parameters                                                       240
          0.b                    parameter  [2, 6]                        48
          0.W                    parameter  [12, 4]                      192
        as long as the sequence                               200·T·B + 24·B
          x                      input      [T, B, 4]                 16·T·B
          v1                     value      [T, B, 12]                48·T·B
          v2                     value      [T, B, 6]                 24·T·B
          output                 output     [T+1, B, 6]        24·T·B + 24·B
          d.output               input      [T, B, 6]                 24·T·B
          v5                     value      [T, B, 12]                48·T·B
          d.input x              output     [T, B, 4]                 16·T·B
        the rest                                         48·C·B + 96·B + 244
          v3                     value      [C, B, 6]                 24·C·B
          v4                     value      [C, B, 6]                 24·C·B
          0.h                    state      2 × [B, 6]                  48·B
          d.0.h                  state      2 × [B, 6]                  48·B
          1                      constant   [1, 1]                         4
          d.0.b                  output     [2, 6]                        48
          d.0.W                  output     [12, 4]                      192"
    `);
  });

  it("ids in, one row a sequence out: gather, scatterAdd and a bidirectional layer", () => {
    const net = stack(
      embedding({ vocabularySize: 50, outputSize: 8 }),
      recurrent(minGru, { inputSize: 8, hiddenSize: 4, bidirectional: true }),
      last,
    );
    expect(explain(backward(net))).toMatchInlineSnapshot(`
      "gradient: 928·T·B + 8·B flops, 1,416·T·B + 104·B + 3,272 bytes read and written
                      shape                 flops           bytes
      forward: from the first step to the last, in chunks of C
        rows before the loop
          gather      [50, 8] → [T·B, 8]        0          68·T·B  v1 = rows of 0.W at x
          gemm        [T·B, 8]·[8, 8]     128·T·B    64·T·B + 288  v2 = 1.l0.b + v1·1.l0.Wᵀ
          map         [T·B, 4]             12·T·B          80·T·B  v3, v4, v5 = sigmoid, minus, times of v2
        loop: at each of T steps
          map         [B, 4]                  8·B            96·B  1.l0.h(t), 1.l0.h′, v6 = times, plus of v4, 1.l0.h, v5
      reverse: from the last step to the first, in chunks of C
        rows before the loop
          gemm        [T·B, 8]·[8, 8]     128·T·B    64·T·B + 288  v7 = 1.l0.reverse.b + v1·1.l0.reverse.Wᵀ
          map         [T·B, 4]             12·T·B          80·T·B  v8, v4, v5 = sigmoid, minus, times of v7
        loop: at each of T steps
          map         [B, 4]                  8·B            96·B  1.l0.reverse.h(t), 1.l0.reverse.h′, v6 = times, plus of v4, 1.l0.reverse.h, v5
      whole: all T steps at once
        rows
          gather      [T·B, 8] → [B, 8]         0            68·B  output = rows of v6 at last
          scatterAdd  [B, 8] → [T·B, 8]       8·B   32·T·B + 36·B  v6 = sums of d.output at last
      forward: from the first step to the last, in chunks of C
        rows before the loop
          map         [T·B, 4]              4·T·B          32·T·B  v4 = minus of v8
        loop: at each of T steps
          map         [B, 4]                  8·B            80·B  v5, d.1.l0.reverse.h′ = plus, times of d.1.l0.reverse.h, v6, v4
        rows after the loop
          map         [T·B, 4]             28·T·B         112·T·B  v9 = 5 times, neg, plus of v5, v8, v7, 1.l0.reverse.h(t+1), v4
          gemm        [T·B, 8]·[8, 8]     128·T·B    64·T·B + 256  v7 = v9·1.l0.reverse.W
      reverse: from the last step to the first, in chunks of C
        rows before the loop
          map         [T·B, 4]              4·T·B          32·T·B  v4 = minus of v3
        loop: at each of T steps
          map         [B, 4]                  8·B            80·B  v5, d.1.l0.h′ = plus, times of d.1.l0.h, v6, v4
        rows after the loop
          map         [T·B, 4]             28·T·B         112·T·B  v6 = 5 times, neg, plus of v5, v3, v2, 1.l0.h(t−1), v4
          gemm        [T·B, 8]·[8, 8]     128·T·B    96·T·B + 256  v2 = v7 + v6·1.l0.W
      whole: all T steps at once
        rows
          gemm        [1, T·B]·[T·B, 8]    16·T·B     32·T·B + 36  d.1.l0.reverse.b = 1ᵀ·v9
          gemm        [8, T·B]·[T·B, 8]   128·T·B    64·T·B + 256  d.1.l0.reverse.W = v9ᵀ·v1
          gemm        [1, T·B]·[T·B, 8]    16·T·B     32·T·B + 36  d.1.l0.b = 1ᵀ·v6
          gemm        [8, T·B]·[T·B, 8]   128·T·B    64·T·B + 256  d.1.l0.W = v6ᵀ·v1
          scatterAdd  [T·B, 8] → [50, 8]    8·T·B  36·T·B + 1,600  d.0.W = sums of v2 at x

      memory                                shape                         bytes
        parameters                                                        2,176
          0.W                    parameter  [50, 8]                       1,600
          1.l0.b                 parameter  [2, 4]                           32
          1.l0.W                 parameter  [8, 8]                          256
          1.l0.reverse.b         parameter  [2, 4]                           32
          1.l0.reverse.W         parameter  [8, 8]                          256
        as long as the sequence                                  228·T·B + 32·B
          x                      input      [T, B, 1]                     4·T·B
          v1                     value      [T, B, 8]                    32·T·B
          v2                     value      [T, B, 8]                    32·T·B
          v3                     value      [T, B, 4]                    16·T·B
          1.l0.h                 history    [T+1, B, 4]           16·T·B + 16·B
          v6                     value      [T, B, 8]                    32·T·B
          v7                     value      [T, B, 8]                    32·T·B
          v8                     value      [T, B, 4]                    16·T·B
          1.l0.reverse.h         history    [T+1, B, 4]           16·T·B + 16·B
          v9                     value      [T, B, 8]                    32·T·B
        the rest                                         32·C·B + 196·B + 2,180
          v4                     value      [C, B, 4]                    16·C·B
          v5                     value      [C, B, 4]                    16·C·B
          1.l0.h                 state      2 × [B, 4]                     32·B
          1.l0.reverse.h         state      2 × [B, 4]                     32·B
          last                   input      [B, 1]                          4·B
          output                 output     [B, 8]                         32·B
          d.output               input      [B, 8]                         32·B
          d.1.l0.reverse.h       state      2 × [B, 4]                     32·B
          d.1.l0.h               state      2 × [B, 4]                     32·B
          1                      constant   [1, 1]                            4
          d.1.l0.reverse.b       output     [2, 4]                           32
          d.1.l0.reverse.W       output     [8, 8]                          256
          d.1.l0.b               output     [2, 4]                           32
          d.1.l0.W               output     [8, 8]                          256
          d.0.W                  output     [50, 8]                       1,600"
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

it("buffers with a row a sequence, and kernels without a loop", () => {
  const net = network({ a: 3, b: 3 }, ({ a, b }) => ({ sum: a.plus(b), last: last(a) }));
  const [kernels] = explain(backward(net)).split("\n\n");
  expect(kernels).toMatchInlineSnapshot(`
    "gradient: 9·T·B + 3·B flops, 108·T·B + 44·B bytes read and written
                    shape              flops          bytes
    forward: from the first step to the last, in chunks of C
      rows
        map         [T·B, 3]           6·T·B         60·T·B  sum, d.input b = plus, copy of a, b, d.sum
    whole: all T steps at once
      rows
        gather      [T·B, 3] → [B, 3]      0           28·B  last = rows of a at last
        scatterAdd  [B, 3] → [T·B, 3]    3·B  12·T·B + 16·B  v1 = sums of d.last at last
        map         [T·B, 3]           3·T·B         36·T·B  d.input a = plus of v1, d.sum"
  `);
});
