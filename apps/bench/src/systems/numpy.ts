// The peer `numpy`: the class of fixtures/seed.py itself, in a Python process of its own, one BLAS thread, float32.
import { join } from "node:path";
import type { Tensor } from "@recurra/core";
import { benchFolder } from "../paths.ts";
import { encode, python } from "../python.ts";
import type { Job, Prepared, System } from "../system.ts";
import type { Round } from "../timing.ts";

export const numpy: System = {
  async prepare(job): Promise<Prepared> {
    const ask = await python("numpy", join(benchFolder, "fixtures", "numpy_peer.py"));
    const { output } = await ask<{ output: string }>(request(job));
    return {
      results: { output: new Float32Array(new Uint8Array(Buffer.from(output, "base64")).buffer) },
      round: (ms) => ask<Round>(ms),
    };
  },
};

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
