/**
 * The CPU backend: typed arrays, synchronous, nothing compiled at run time, so that strict pages and edge workers run it. It trusts
 * what it is given, as the contract says; `checked` of the conformance kit is for who doesn't.
 */
import type { Kernel, SyncBackend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { gemm } from "./gemm.ts";
import { map } from "./map.ts";
import { openMemory } from "./memory.ts";
import { operandOf, seek, type Operand } from "./operand.ts";
import { reduce } from "./reduce.ts";
import { gather, scatterAdd } from "./table.ts";

/** Open the CPU backend. It needs nothing and always works; `dispose` gives its memory back. */
export function openCpu(): SyncBackend {
  const { inUse, ...memory } = openMemory();
  return {
    name: "cpu",
    limits: { rows: Infinity },
    accuracy,
    inPlace: true,
    projection: "before",
    ...memory,
    read: async (buffer, into, offset) => memory.readSync(buffer, into, offset),
    prepare(kernel) {
      inUse();
      return {
        bind(rows, views, tableRows = 0) {
          const operands = views.map((view) => operandOf(view));
          const outputs = operands.slice(kernel.op === "map" ? kernel.inputs : -1);
          const work = bind(kernel, operands, rows, tableRows);
          return {
            run(step) {
              for (let i = 0; i < outputs.length; i++) outputs[i]!.buffer.version++;
              seek(operands, step, 0, 0);
              work(step);
            },
          };
        },
      };
    },
  };
}

/** What a kernel does at a step, once its operands stand there. */
function bind(
  kernel: Kernel,
  operands: readonly Operand[],
  rows: number,
  tableRows: number,
): (step: number) => void {
  switch (kernel.op) {
    case "gemm":
      return gemm(kernel, operands, rows);
    case "map":
      return map(kernel, operands, rows);
    case "reduce":
      return reduce(kernel, operands, rows);
    case "gather":
      return gather(kernel, operands, rows, tableRows);
    case "scatterAdd":
      return scatterAdd(kernel, operands, rows, tableRows);
  }
}
