/** ONNX Runtime's recorded operator tests: a record, and the call that it means. */
import type { Call, CallResult, Tensor } from "./call.ts";
import { activationsOf, gateOrder, type Operator } from "./operators.ts";

export interface OrtRecord {
  readonly id: string;
  readonly test: string;
  readonly op: Operator;
  readonly expect: "success" | "failure";
  readonly attributes: Attributes;
  /** In ONNX's order; null: left out. */
  readonly inputs: readonly (Tensor | null | undefined)[];
  readonly outputs: readonly (Tensor | null)[];
}

interface Attributes {
  readonly hidden_size: number;
  readonly direction?: Call["direction"];
  readonly activations?: readonly string[];
  readonly activation_alpha?: readonly number[];
  readonly activation_beta?: readonly number[];
  readonly clip?: number;
  readonly input_forget?: 0 | 1;
  readonly linear_before_reset?: 0 | 1;
}
const attributeNames: readonly (keyof Attributes)[] = [
  "hidden_size",
  "direction",
  "activations",
  "activation_alpha",
  "activation_beta",
  "clip",
  "input_forget",
  "linear_before_reset",
];

const defaults = { LSTM: ["sigmoid", "tanh", "tanh"], GRU: ["sigmoid", "tanh"], RNN: ["tanh"] } as const;

/** The names of the outputs, in ONNX's order. */
export const outputNames: readonly (keyof CallResult)[] = ["Y", "Y_h", "Y_c"];

export function onnxCall({ op, attributes, inputs }: OrtRecord): Call {
  const unknown = Object.keys(attributes).find((name) => !attributeNames.includes(name as keyof Attributes));
  if (unknown) throw new Error(`${op}: expected known attributes, got ${unknown}`);
  const { direction = "forward", clip, hidden_size: hiddenSize } = attributes;
  const count = defaults[op].length;
  const both = direction === "bidirectional";
  const names = attributes.activations ?? [...defaults[op], ...(both ? defaults[op] : [])];
  const all = activationsOf(names, attributes.activation_alpha, attributes.activation_beta);
  const optionsOf = (activations: typeof all): Call["options"][number] => ({
    activations,
    clip,
    inputForget: attributes.input_forget === 1,
    linearBeforeReset: attributes.linear_before_reset === 1,
  });
  const first = optionsOf(all.slice(0, count));
  const same = all.slice(count).every((f, i) => f === all[i]);
  const [X, W, R, B, lengths, initialH, initialC, P] = inputs.map((tensor) => tensor ?? undefined);
  if (!X || !W || !R) throw new Error(`${op}: expected X, W and R, got too few inputs`);
  return {
    operator: op,
    direction,
    hiddenSize,
    options: both ? [first, same ? first : optionsOf(all.slice(count))] : [first],
    gates: gateOrder[op],
    ...{ X, W, R, B, lengths, initialH, initialC, P },
  };
}
