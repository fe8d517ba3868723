// The one list of workloads, for the command line and for a page: nothing here needs Node.

export type Kind = "forward" | "gradient" | "train";

export interface Workload {
  /** The flag's own word. */
  readonly name: string;
  /** Time steps, batch rows, input features, hidden units. */
  readonly T: number;
  readonly B: number;
  readonly I: number;
  readonly H: number;
  /** Features of a dense layer on top; none without. */
  readonly output?: number;
  /** Where training has its cross-entropy: on the output of the last step alone, or of all. */
  readonly loss?: "last" | "all";
  /** One call is one step of a stream that keeps its state. */
  readonly step?: boolean;
  /** The batch rows whose results are checked; all of them without. The others would keep the oracle busy for minutes. */
  readonly checkedRows?: readonly number[];
  /** Parameters, input and expected results come from this fixture; without, they are drawn from a seed. */
  readonly fixture?: string;
  readonly kinds: readonly Kind[];
}

const lstm: readonly Kind[] = ["forward", "gradient"];

export const workloads: readonly Workload[] = [
  { name: "A", T: 1, B: 1, I: 64, H: 128, step: true, kinds: lstm },
  { name: "B", T: 50, B: 1, I: 10, H: 20, kinds: lstm },
  { name: "C", T: 100, B: 1, I: 128, H: 128, kinds: lstm },
  { name: "D", T: 100, B: 1, I: 512, H: 512, kinds: lstm },
  { name: "E", T: 100, B: 32, I: 128, H: 256, checkedRows: [0, 10, 21, 31], kinds: lstm },
  { name: "F", T: 28, B: 128, I: 28, H: 128, kinds: lstm },
  { name: "G", T: 64, B: 64, I: 512, H: 512, checkedRows: [0, 21, 42, 63], kinds: lstm },
  { name: "H", T: 28, B: 128, I: 28, H: 128, output: 10, loss: "last", kinds: ["train"] },
  { name: "I", T: 50, B: 32, I: 64, H: 128, output: 64, loss: "all", kinds: ["train"] },
  { name: "seed", T: 50, B: 1, I: 10, H: 20, output: 5, fixture: "seed.json", kinds: ["forward"] },
  { name: "co2", T: 732, B: 1, I: 10, H: 20, output: 5, fixture: "co2.json", kinds: ["forward"] },
];

/** The floating-point operations of the LSTM's products in one call; a gradient, in training too, does three times those of forward. */
export function flops({ T, B, I, H }: Workload, kind: Kind): number {
  const gates = 4;
  return 2 * gates * H * (I + H) * T * B * (kind === "forward" ? 1 : 3);
}
