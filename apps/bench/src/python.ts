// A peer in Python: a process that answers each line of JSON with one.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { findPython } from "../../../scripts/python.mjs";
import { Unable } from "./system.ts";

/**
 * Starts a script; the function sends it one message and resolves with its answer.
 * @param module what the Python has to have
 * @throws Unable where none has it
 */
export async function python(
  module: string,
  script: string,
): Promise<<Answer>(message: unknown) => Promise<Answer>> {
  const found = findPython(module);
  if (!found) throw new Unable(`this machine has no python3 with ${module}`);
  // OpenBLAS's settings for another machine slow it by 1.25 to 1.6 times.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("OPENBLAS_")),
  );
  env.OPENBLAS_NUM_THREADS = "1";
  // No __pycache__ beside the fixtures.
  env.PYTHONDONTWRITEBYTECODE = "1";

  const child = spawn(found.path, [script], { env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async <Answer>(message: unknown) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error(`${script} ended without an answer`);
    return JSON.parse(line.value) as Answer;
  };
}

/** The bytes of arrays, one after another, in base64. */
export function encode(rows: readonly (Float32Array | BigInt64Array)[]): string {
  return Buffer.concat(
    rows.map((row) => new Uint8Array(row.buffer, row.byteOffset, row.byteLength)),
  ).toString("base64");
}
