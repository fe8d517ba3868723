/**
 * The WebNN conformance cases and the float64 baseline, whose operators are ONNX's under other names: a case, and the call that
 * it means.
 */
import type { Call, CallResult, Tensor } from "./call.ts";
import { activationsOf } from "./operators.ts";

/** Of the web platform tests: arguments by name, tensors by reference. */
interface WptCase {
  readonly name: string;
  readonly graph: {
    readonly inputs: Readonly<Record<string, WptTensor>>;
    readonly operators: readonly [
      {
        readonly name: string;
        readonly arguments: readonly Readonly<Record<string, unknown>>[];
        readonly outputs: readonly string[];
      },
    ];
    readonly expectedOutputs: Readonly<Record<string, WptTensor>>;
  };
}
interface WptTensor {
  readonly data: readonly number[];
  readonly descriptor: { readonly shape: readonly number[] };
}
/** Of the baseline: arguments by position. */
interface BaselineCase {
  readonly name: string;
  readonly op: string;
  readonly args: readonly unknown[];
  readonly expected: readonly Tensor[];
}
export type WebnnCase = WptCase | BaselineCase;

const parameters: Readonly<Record<string, readonly string[]>> = {
  lstm: ["input", "weight", "recurrentWeight", "steps", "hiddenSize", "options"],
  lstmCell: ["input", "weight", "recurrentWeight", "hiddenState", "cellState", "hiddenSize", "options"],
  gru: ["input", "weight", "recurrentWeight", "steps", "hiddenSize", "options"],
  gruCell: ["input", "weight", "recurrentWeight", "hiddenState", "hiddenSize", "options"],
};

interface Arguments {
  readonly input: Tensor;
  readonly weight: Tensor;
  readonly recurrentWeight: Tensor;
  readonly hiddenSize: number;
  readonly steps?: number;
  readonly hiddenState?: Tensor;
  readonly cellState?: Tensor;
  readonly options?: Options;
}
interface Options {
  readonly bias?: Tensor;
  readonly recurrentBias?: Tensor;
  readonly peepholeWeight?: Tensor;
  readonly initialHiddenState?: Tensor;
  readonly initialCellState?: Tensor;
  readonly resetAfter?: boolean;
  readonly returnSequence?: boolean;
  readonly direction?: "forward" | "backward" | "both";
  readonly layout?: string;
  readonly activations?: readonly string[];
}
const optionNames: readonly (keyof Options)[] = [
  "bias",
  "recurrentBias",
  "peepholeWeight",
  "initialHiddenState",
  "initialCellState",
  "resetAfter",
  "returnSequence",
  "direction",
  "layout",
  "activations",
];

export interface WebnnCall {
  readonly call: Call;
  /** Expected outputs, by ONNX's names. */
  readonly expected: readonly (readonly [keyof CallResult, Tensor])[];
}

export function webnnCall(given: WebnnCase): WebnnCall {
  const { op, args, expected } = "op" in given ? fromBaseline(given) : fromWpt(given);
  const { options = {}, input, weight, recurrentWeight, hiddenSize } = args;
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name as keyof Options));
  if (unknown) throw new Error(`${op}: expected known options, got ${unknown}`);

  const lstm = op.startsWith("lstm");
  const layout = options.layout ?? (lstm ? "iofg" : "zrn");
  const names = options.activations ?? (lstm ? ["sigmoid", "tanh", "tanh"] : ["sigmoid", "tanh"]);
  const shared = { activations: activationsOf(names), linearBeforeReset: options.resetAfter ?? true };
  const both = options.direction === "both";
  const steps = args.steps ?? 1;
  // A cell's tensors have no axis of steps or directions.
  const batch = input.shape[input.shape.length - 2]!;
  const call: Call = {
    operator: lstm ? "LSTM" : "GRU",
    direction: both ? "bidirectional" : options.direction === "backward" ? "reverse" : "forward",
    hiddenSize,
    options: both ? [shared, shared] : [shared],
    gates: [...layout],
    X: { shape: [steps, batch, input.shape[input.shape.length - 1]!], data: input.data },
    W: weight,
    R: recurrentWeight,
    B: biases(options, both ? 2 : 1, layout.length * hiddenSize),
    initialH: options.initialHiddenState ?? args.hiddenState,
    initialC: options.initialCellState ?? args.cellState,
    P: options.peepholeWeight,
  };
  const order: (keyof CallResult)[] = lstm ? ["Y_h", "Y_c", "Y"] : ["Y_h", "Y"];
  if (expected.length > order.length) throw new Error(`${op}: got ${expected.length} outputs`);
  return { call, expected: expected.map((tensor, i) => [order[i]!, tensor] as const) };
}

/** ONNX's B: for each direction the bias, then the recurrent bias. */
function biases({ bias, recurrentBias }: Options, directions: number, size: number): Tensor {
  const zeros = new Array<number>(size).fill(0);
  const part = (of: Tensor | undefined, d: number): readonly number[] =>
    of?.data.slice(d * size, (d + 1) * size) ?? zeros;
  const data = Array.from({ length: directions }, (_, d) => [
    ...part(bias, d),
    ...part(recurrentBias, d),
  ]).flat();
  return { shape: [directions, 2 * size], data };
}

interface Parsed {
  readonly op: string;
  readonly args: Arguments;
  readonly expected: readonly Tensor[];
}

function fromBaseline({ op, args, expected }: BaselineCase): Parsed {
  const names = parameters[op];
  if (!names) throw new Error(`WebNN: expected a recurrent operator, got ${op}`);
  return {
    op,
    args: Object.fromEntries(args.map((value, i) => [names[i]!, value])) as unknown as Arguments,
    expected,
  };
}

function fromWpt({ graph }: WptCase): Parsed {
  const [{ name: op, arguments: list, outputs }] = graph.operators;
  const tensor = ({ data, descriptor }: WptTensor): Tensor => ({ data, shape: descriptor.shape });
  const resolve = (value: unknown): unknown => {
    if (typeof value === "string" && Object.hasOwn(graph.inputs, value)) return tensor(graph.inputs[value]!);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, resolve(v)]));
    return value;
  };
  const args = resolve(Object.assign({}, ...list)) as Arguments;
  const unknown = Object.keys(args).find((name) => !parameters[op]?.includes(name));
  if (unknown) throw new Error(`${op}: expected known arguments, got ${unknown}`);
  return { op, args, expected: outputs.map((name) => tensor(graph.expectedOutputs[name]!)) };
}
