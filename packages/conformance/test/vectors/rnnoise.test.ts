/** RNNoise over 1,100 real frames: whole, and frame by frame. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluate } from "@recurra/core/internal";
import { createModel, type Tensor } from "@recurra/core";
import { openCpu } from "@recurra/backend-cpu";
import { decode } from "../../../train/src/node/safetensors.ts";
import { rnnoise, rnnoiseParameters } from "./rnnoise.ts";
import { available, expectNear, sharedPath } from "./shared.ts";

/** What is asked of float32 beside `gains` and `vad`, in the README of the models: those are the float64 network's, stored in float32. */
const tolerance = 1e-5;

if (available("models/rnnoise"))
  describe("RNNoise", () => {
    const read = (file: string) =>
      decode(readFileSync(sharedPath("models/rnnoise", `${file}.safetensors`)), file).tensors;
    const parameters = rnnoiseParameters(read("weights"));
    const { features, gains, vad } = read("trace") as Record<"features" | "gains" | "vad", Tensor>;
    const frames = features.shape[0]!;

    test("in the oracle, to the bit of what is stored", () => {
      const graph = rnnoise.build();
      const data = Object.fromEntries(
        Object.entries(parameters).map(([name, tensor]) => [name, tensor.data]),
      );
      const values = evaluate(graph, [...graph.outputs.values()], {
        steps: frames,
        batch: 1,
        parameters: data,
        inputs: { x: features.data },
      });
      expect(Float32Array.from(values.get(graph.outputs.get("gains")!)!.data)).toEqual(gains.data);
      expect(Float32Array.from(values.get(graph.outputs.get("vad")!)!.data)).toEqual(vad.data);
    });

    test("on the CPU backend, as one sequence", () => {
      using model = createModel(rnnoise, openCpu(), { parameters });
      const { outputs } = model.runSync({ shape: [frames, 1, 42], data: features.data });
      expectNear(outputs["gains"]!.data, gains.data, tolerance, "gains");
      expectNear(outputs["vad"]!.data, vad.data, tolerance, "vad");
    });

    test("on the CPU backend, as a stream", () => {
      using model = createModel(rnnoise, openCpu(), { parameters });
      const stream = model.stream();
      const into = { gains: new Float32Array(22), vad: new Float32Array(1) };
      for (let t = 0; t < frames; t++) {
        stream.step(features.data.subarray(t * 42, (t + 1) * 42), into);
        expectNear(into.gains, gains.data.subarray(t * 22, (t + 1) * 22), tolerance, `gains of frame ${t}`);
        expectNear(into.vad, vad.data.subarray(t, t + 1), tolerance, `vad of frame ${t}`);
      }
    });
  });
