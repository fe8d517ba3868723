// The peer `numpy`: the class of fixtures/seed.py itself, in a Python process of its own, one BLAS thread, float32.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { benchFolder } from "../paths.ts";
import { type Job, type Prepared, type System, Unable } from "../system.ts";
import type { Tensor } from "../tensor.ts";
import type { Round } from "../timing.ts";

export const numpy: System = {
  async prepare(job): Promise<Prepared> {
    const ask = await python();
    const { output } = await ask<{ output: string }>(request(job));
    return {
      results: { output: new Float32Array(new Uint8Array(Buffer.from(output, "base64")).buffer) },
      round: (ms) => ask<Round>(ms),
    };
  },
};

/** Starts numpy_peer.py; the function sends it one message and resolves with its answer. */
async function python(): Promise<<Answer>(message: unknown) => Promise<Answer>> {
  // OpenBLAS's settings for another machine slow it by 1.25 to 1.6 times.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("OPENBLAS_")),
  );
  env.OPENBLAS_NUM_THREADS = "1";
  // No __pycache__ beside the fixtures.
  env.PYTHONDONTWRITEBYTECODE = "1";
  const found = spawn("python3", ["-c", "import numpy"], { env, stdio: "ignore" });
  const code = await new Promise((resolve) => found.once("error", resolve).once("close", resolve));
  if (code !== 0) throw new Unable("this machine has no python3 with numpy");

  const script = join(benchFolder, "fixtures", "numpy_peer.py");
  const child = spawn("python3", [script], { env, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async <Answer>(message: unknown) => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error("numpy_peer.py ended without an answer");
    return JSON.parse(line.value) as Answer;
  };
}

/** The job in the class's layout: W is [H + I, H] over [h, x]; a batch of one is no batch, as the class was used. */
function request({ workload, data }: Job) {
  const { B, I, H, step = false, output = null } = workload;
  const parameters: Record<string, string> = {};
  for (const [theirs, ours] of Object.entries({ f: "f", i: "i", c: "g", o: "o" })) {
    const U = columnsOf(data.parameters[`0.U.${ours}`]!);
    const W = columnsOf(data.parameters[`0.W.${ours}`]!);
    parameters[`W${theirs}`] = encode([...U, ...W]);
    parameters[`b${theirs}`] = encode([data.parameters[`0.b.${ours}`]!.data]);
  }
  if (output !== null) {
    parameters["Wy"] = encode(columnsOf(data.parameters["1.W"]!));
    parameters["by"] = encode([data.parameters["1.b"]!.data]);
  }
  const [steps = 0] = data.x.shape;
  const x = { shape: B === 1 ? [steps, I] : [steps, B, I], data: encode([data.x.data]) };
  return { inputSize: I, hiddenSize: H, outputSize: output, step, parameters, x };
}

/** The columns of a matrix, which are the rows of its transpose. */
function columnsOf({ shape, data }: Tensor): Float32Array[] {
  const [rows = 0, columns = 0] = shape;
  return Array.from({ length: columns }, (_, column) =>
    Float32Array.from({ length: rows }, (_, row) => data[row * columns + column]!),
  );
}

function encode(rows: readonly Float32Array[]): string {
  return Buffer.concat(
    rows.map((row) => new Uint8Array(row.buffer, row.byteOffset, row.byteLength)),
  ).toString("base64");
}
