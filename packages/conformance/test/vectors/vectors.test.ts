/** The public vectors of recurrent operators: ONNX Runtime's own tests, WebNN's conformance cases and its float64 baseline. */
import { readdirSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { RecurraError } from "@recurra/core";
import { runCall, type Call, type CallResult, type Runner, type Tensor } from "./call.ts";
import { onnxCall, outputNames, type OrtRecord } from "./onnx.ts";
import { runCpu, runCpuBatchFirst } from "./run-cpu.ts";
import { runOracle } from "./run-oracle.ts";
import { available, expectNear, readJson, sharedPath } from "./shared.ts";
import { webnnCall, type WebnnCase } from "./webnn.ts";

type Expected = readonly (readonly [keyof CallResult, Tensor])[];

const runners: Readonly<Record<string, Runner>> = {
  oracle: runOracle,
  cpu: runCpu,
  "cpu, batch first": runCpuBatchFirst,
};

/** Cases that passed, and those that the files hold. */
const counts: Record<string, { passed: number; total: number }> = {};

/** How close is close enough, |a − b| ≤ t · max(1, |expected|): as the README beside the vectors says of each. */
const tolerances = {
  /** The WebNN conformance cases, whatever runs them. */
  wpt: () => 1e-6,
  /** The float64 baseline. */
  baseline: (runner: string) => (runner === "oracle" ? 1e-12 : 1e-5),
  /** ONNX Runtime's own, of LSTM and of the rest. */
  ortLstm: () => 1e-4,
  ort: () => 1e-5,
} as const;

function check(call: Call, expected: Expected, tolerance: (runner: string) => number): void {
  for (const [name, runner] of Object.entries(runners)) {
    const result = runCall(call, runner);
    for (const [output, tensor] of expected)
      expectNear(result[output], tensor.data, tolerance(name), `${name}: ${output}`);
  }
}

/** Every case of every file of a folder is a test; the title says which. */
function suite<Case>(
  folder: string,
  files: readonly string[],
  title: (given: Case) => string,
  verify: (given: Case, file: string) => void,
): void {
  describe(folder, () => {
    const count = (counts[folder] = { passed: 0, total: 0 });
    test("holds the files that are known", () => {
      expect(readdirSync(sharedPath("vectors", folder)).sort()).toEqual([...files].sort());
    });
    for (const file of files) {
      const { cases } = readJson(sharedPath("vectors", folder, file)) as { readonly cases: readonly Case[] };
      count.total += cases.length;
      describe(file, () => {
        for (const given of cases)
          test(title(given), () => {
            verify(given, file);
            count.passed++;
          });
      });
    }
    test("has no case left out", () => {
      expect(count.passed).toBe(count.total);
    });
  });
}

const webnn = available("vectors/webnn");
const ort = available("vectors/ort");

if (webnn)
  suite<WebnnCase>(
    "webnn",
    ["lstm", "lstm_cell", "gru", "gru_cell"].flatMap((op) => [`wpt_${op}.json`, `baseline_${op}.json`]),
    ({ name }) => name,
    (given, file) => {
      const { call, expected } = webnnCall(given);
      check(call, expected, tolerances[file.startsWith("wpt") ? "wpt" : "baseline"]);
    },
  );

if (ort)
  suite<OrtRecord>(
    "ort",
    ["ort_lstm.json", "ort_gru.json", "ort_rnn.json"],
    ({ id, test }) => `${id} ${test}`,
    (record) => {
      if (record.expect === "failure") {
        expect(() => runCall(onnxCall(record), runCpu)).toThrow(RecurraError);
        return;
      }
      const expected = record.outputs.flatMap((tensor, i): Expected =>
        tensor ? [[outputNames[i]!, tensor]] : [],
      );
      check(onnxCall(record), expected, tolerances[record.op === "LSTM" ? "ortLstm" : "ort"]);
    },
  );

afterAll(() => {
  const parts = Object.entries(counts).map(([folder, { passed, total }]) => `${folder}: ${passed}/${total}`);
  if (parts.length) console.log(parts.join(", "));
});
