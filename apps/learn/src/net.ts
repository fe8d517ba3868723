// The networks of the tasks: one recurrent layer between what goes in and a dense layer. Said as data, so that PyTorch can
// build the same.
import {
  dense,
  embedding,
  gru,
  type Initializer,
  last,
  type Layer,
  lstm,
  type Network,
  recurrent,
  stack,
} from "@recurra/core";

export interface Net {
  /** Features of a step, or ids that are looked up in a table. */
  readonly input: number | { readonly vocabulary: number; readonly size: number };
  readonly cell: "lstm" | "gru";
  readonly hidden: number;
  readonly outputs: number;
  /** The output is that of the last step alone. */
  readonly last: boolean;
  /** As in `recurrent`. */
  readonly initializers?: Readonly<Record<string, Initializer>>;
}

/** Parameters are named `embedding.W`, `cell.W.i` …, `head.W`, `head.b`. */
export function networkOf({ input, cell, hidden, outputs, last: onlyLast, initializers = {} }: Net): Network {
  const layers: Layer[] = [];
  const width = typeof input === "number" ? input : input.size;
  if (typeof input !== "number")
    layers.push(embedding({ vocabularySize: input.vocabulary, outputSize: input.size, name: "embedding" }));
  layers.push(
    recurrent(cell === "lstm" ? lstm : gru, {
      inputSize: width,
      hiddenSize: hidden,
      initializers,
      name: "cell",
    }),
  );
  if (onlyLast) layers.push(last);
  layers.push(dense({ inputSize: hidden, outputSize: outputs, name: "head" }));
  return stack(...layers);
}
