/** What `explain` prints of gradients. Read these in review: they are the plan. */
import { expect, it } from "vitest";
import { embedding, explain, last, lstm, minGru, network, recurrent, stack } from "../src/index.ts";
import { backward, single } from "./support/programs.ts";

it("LSTM, gradient", () => {
  expect(explain(backward(single(lstm)))).toMatchInlineSnapshot(`
    "gradient: 1,680·T·B flops, 1,560·T·B + 1,152·T + 1,924 bytes read and written
              shape                 flops          bytes
    forward: from the first step to the last, in chunks of C
      rows before the loop
        gemm  [T·B, 4]·[4, 24]    192·T·B  112·T·B + 480  v1 = 0.b + x·0.Wᵀ
      loop: at each of T steps
        gemm  [B, 6]·[6, 24]        288·B    216·B + 576  v2 = v1 + 0.h·0.Uᵀ
        map   [B, 6]                 54·B          336·B  v3, v4, v5, v6, 0.c(t), 0.c′, v7, output(t), 0.h′ = 3 sigmoid, 3 times, 2 tanh, plus of v2, 0.c
    reverse: from the last step to the first, in chunks of C
      loop: at each of T steps
        map   [B, 6]                138·B          336·B  v8, d.0.c′ = 2 plus, 16 times, 5 minus of d.output, d.0.h, v7, v3, d.0.c, v5, v6, 0.c(t−1), v4
        gemm  [B, 24]·[24, 6]       288·B    120·B + 576  d.0.h′ = v8·0.U
      rows after the loop
        gemm  [T·B, 24]·[24, 4]   192·T·B  112·T·B + 384  d.input x = v8·0.W
    whole: all T steps at once
      rows
        gemm  [1, T·B]·[T·B, 24]   48·T·B   96·T·B + 100  d.0.b = 1ᵀ·v8
        gemm  [24, T·B]·[T·B, 6]  288·T·B  120·T·B + 576  d.0.U = v8ᵀ·output(t−1)
        gemm  [24, T·B]·[T·B, 4]  192·T·B  112·T·B + 384  d.0.W = v8ᵀ·x

    memory                                shape                         bytes
      parameters                                                        1,056
        0.b                    parameter  [4, 6]                           96
        0.W                    parameter  [24, 4]                         384
        0.U                    parameter  [24, 6]                         576
      as long as the sequence                                  320·T·B + 48·B
        x                      input      [T, B, 4]                    16·T·B
        v3                     value      [T, B, 6]                    24·T·B
        v4                     value      [T, B, 6]                    24·T·B
        v5                     value      [T, B, 6]                    24·T·B
        v6                     value      [T, B, 6]                    24·T·B
        0.c                    history    [T+1, B, 6]           24·T·B + 24·B
        v7                     value      [T, B, 6]                    24·T·B
        output                 output     [T+1, B, 6]           24·T·B + 24·B
        d.output               input      [T, B, 6]                    24·T·B
        v8                     value      [T, B, 24]                   96·T·B
        d.input x              output     [T, B, 4]                    16·T·B
      the rest                                         96·C·B + 288·B + 1,060
        v1                     value      [C, B, 24]                   96·C·B
        0.h                    state      2 × [B, 6]                     48·B
        v2                     value      [B, 24]                        96·B
        0.c                    state      2 × [B, 6]                     48·B
        d.0.h                  state      2 × [B, 6]                     48·B
        d.0.c                  state      2 × [B, 6]                     48·B
        1                      constant   [1, 1]                            4
        d.0.b                  output     [4, 6]                           96
        d.0.U                  output     [24, 6]                         576
        d.0.W                  output     [24, 4]                         384"
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
    "gradient: 928·T·B + 8·B flops, 1,400·T·B + 104·B + 3,272 bytes read and written
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
        map         [T·B, 4]              8·T·B          64·T·B  v8, v4 = sigmoid, times of v7
      loop: at each of T steps
        map         [B, 4]                 12·B            96·B  1.l0.reverse.h(t), 1.l0.reverse.h′, v6 = minus, times, plus of v8, 1.l0.reverse.h, v4
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
