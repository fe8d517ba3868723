/** The CPU backend: typed arrays, synchronous, nothing compiled at run time, so that strict pages and edge workers run it. */
import type { Kernel, PreparedKernel, SyncBackend } from "@recurra/core";
import { accuracy } from "./accuracy.ts";
import { prepareGemm } from "./gemm.ts";
import { prepareMap } from "./map.ts";
import { Memory } from "./memory.ts";
import { prepareReduce } from "./reduce.ts";
import { prepareGather, prepareScatterAdd } from "./table.ts";

/** Open the CPU backend. It needs nothing and always works; `dispose` gives its memory back. */
export function openCpu(): SyncBackend {
  const memory = new Memory();
  return {
    name: "cpu",
    limits: { mapInputs: Infinity, mapOutputs: Infinity, rows: Infinity },
    accuracy,
    inPlace: true,
    projection: "before",
    alloc: (length) => memory.alloc(length),
    free: (buffer) => memory.free(buffer),
    write: (buffer, data, offset) => memory.write(buffer, data, offset),
    read: async (buffer, into, offset) => memory.read(buffer, into, offset),
    readSync: (buffer, into, offset) => memory.read(buffer, into, offset),
    prepare(kernel) {
      memory.check();
      return prepare(memory, kernel);
    },
    dispose: () => memory.dispose(),
  };
}

function prepare(memory: Memory, kernel: Kernel): PreparedKernel {
  switch (kernel.op) {
    case "gemm":
      return prepareGemm(memory, kernel);
    case "map":
      return prepareMap(memory, kernel);
    case "reduce":
      return prepareReduce(memory, kernel);
    case "gather":
      return prepareGather(memory, kernel);
    case "scatterAdd":
      return prepareScatterAdd(memory, kernel);
  }
}
