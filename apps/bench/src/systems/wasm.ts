import { openWasm } from "@recurra/backend-wasm";
import { Unable, type System } from "../system.ts";
import { recurra } from "./recurra.ts";

/** `threads=2`: on two threads. */
export const wasm: System = {
  prepare(job) {
    const threads = job.variant?.startsWith("threads=") ? Number(job.variant.slice(8)) : 1;
    return recurra(async () => {
      const backend = await openWasm({ threads, int8: job.variant === "int8" });
      if (threads > 1 && backend.name === "wasm") throw new Unable(`no ${threads} threads here`);
      return backend;
    }).prepare(job);
  },
};
