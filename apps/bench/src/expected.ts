// What a right system computes, by core's float64 oracle; and how far a backend of ours may be from it, derived from the
// accuracy that the backend declares.
import {
  type Accuracy,
  endToEnd,
  evaluate,
  gradientGraph,
  type Graph,
  type Node,
  type OracleInputs,
} from "@recurra/core/internal";
import { TRAIN_TOLERANCE } from "./check.ts";
import type { Data } from "./data.ts";
import { networkOf } from "./network.ts";
import { fromNumpyClass } from "./numpy-class.ts";
import { pickRows } from "./pick-rows.ts";
import { readData, readFixture } from "./read-data.ts";
import { trainedLosses } from "./trained.ts";
import type { Kind, Workload } from "./workloads.ts";

export interface Expected {
  /**
   * By name, for the checked rows alone. forward: "output", and for a fixture each gate; gradient: each parameter's,
   * and "input"; train: "loss".
   */
  readonly values: Readonly<Record<string, Float64Array>>;
  /** t by name: a backend of this accuracy may be off by t · max(1, |expected|). */
  tolerances(accuracy: Accuracy): Readonly<Record<string, number>>;
}

/** To be computed once a workload: the oracle takes its time. */
export function computeExpected(workload: Workload, kind: Kind): Expected {
  if (kind === "train") {
    const loss = trainedLosses(workload, readData(workload, kind));
    return { values: { loss }, tolerances: () => ({ loss: TRAIN_TOLERANCE }) };
  }
  const { graph, wanted, inputs } = questionOf(workload, kind);
  const tolerances = oncePerAccuracy((accuracy) => {
    const found = endToEnd(graph, Object.values(wanted), inputs, accuracy);
    // Only comparisons can be undecided, and there are none in an LSTM.
    if (!found) throw new Error(`${workload.name}: the oracle is undecided`);
    return mapValues(wanted, (node) => found.get(node)!.tolerance);
  });
  if (workload.fixture !== undefined) {
    return { values: fromNumpyClass(readFixture(workload.fixture)).expected, tolerances };
  }
  const found = evaluate(graph, Object.values(wanted), inputs);
  return { values: mapValues(wanted, (node) => found.get(node)!.data), tolerances };
}

/** What the oracle is asked: which nodes of which graph, by name, and what it is given. */
export function questionOf(
  workload: Workload,
  kind: Exclude<Kind, "train">,
): {
  readonly graph: Graph;
  readonly wanted: Readonly<Record<string, Node>>;
  readonly inputs: OracleInputs;
} {
  const graph = networkOf(workload).build();
  const wanted = kind === "gradient" ? gradientNodes(graph) : forwardNodes(graph, workload);
  return { graph, wanted, inputs: oracleInputs(checkedPart(readData(workload, kind), workload)) };
}

function forwardNodes(graph: Graph, { fixture }: Workload): Record<string, Node> {
  const output = graph.outputs.get("output")!;
  return fixture === undefined ? { output } : { output, ...Object.fromEntries(graph.traces) };
}

function gradientNodes(graph: Graph): Record<string, Node> {
  const { adjoint, outputs } = gradientGraph(graph);
  const parameters = [...adjoint.parameters].map(([{ name }, node]) => [name, node] as const);
  return { ...Object.fromEntries(parameters), input: outputs.get("d.input x")! };
}

function oracleInputs({ parameters, x, outputGradient }: Data): OracleInputs {
  const [steps = 0, batch = 0] = x.shape;
  return {
    steps,
    batch,
    parameters: mapValues(parameters, ({ data }) => data),
    inputs: { x: x.data, "d.output": outputGradient.data },
  };
}

/** The data of the checked rows; the others' output gradients are 0, so that they add nothing to the parameters'. */
function checkedPart(data: Data, { checkedRows }: Workload): Data {
  if (!checkedRows) return data;
  return {
    ...data,
    x: pickRows(data.x, checkedRows),
    outputGradient: pickRows(data.outputGradient, checkedRows),
  };
}

function oncePerAccuracy<Result>(work: (accuracy: Accuracy) => Result): (accuracy: Accuracy) => Result {
  const known = new Map<string, Result>();
  return (accuracy) => {
    const key = JSON.stringify(accuracy);
    const result = known.get(key) ?? work(accuracy);
    known.set(key, result);
    return result;
  };
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
