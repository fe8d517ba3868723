/** Programs over parameters, written down by hand: every buffer is a fixed matrix, every launch has rows of its own. */
import { Expr } from "@recurra/core";
import {
  copyOf, Graph, type Argument, type BufferSpec, type FunctionName, type Instruction, type Launch, type MapKernel, type Operand, type Program,
} from "@recurra/core/internal"; // prettier-ignore

/** A buffer of a program, by its number, and its size. */
export interface Matrix {
  readonly buffer: number;
  readonly rows: number;
  readonly width: number;
}

const operand = ({ buffer, width }: Matrix, more: Partial<Operand> = {}): Operand => ({
  buffer, column: 0, width, row: 0, repeatRow: false, repeatColumn: false, shift: 0, ...more,
}); // prettier-ignore

/** One number of a row of them, for every row and column. */
export const scalar = (row: Matrix, column = 0): Operand =>
  operand(row, { column, width: 1, repeatRow: true, repeatColumn: true });

export class Launches {
  readonly #buffers: BufferSpec[] = [];
  readonly #launches: Launch[] = [];

  matrix(
    name: string,
    role: "parameter" | "value" | "constant",
    rows: number,
    width: number,
    data?: number[],
  ): Matrix {
    const spec: BufferSpec = { name, role, rows, width, slots: 1, ...(data && { data }) };
    return { buffer: this.#buffers.push(spec) - 1, rows, width };
  }

  /** Pointwise over the rows of the outputs. */
  map(kernel: Equations, inputs: readonly (Matrix | Operand)[], outputs: readonly Matrix[]): void {
    const { rows, width } = outputs[0] as Matrix;
    this.#launches.push({
      kernel: { op: "map", width, ...kernel },
      rows,
      inputs: inputs.map((of) => ("rows" in of ? operand(of) : of)),
      outputs: outputs.map((of) => operand(of)),
    });
  }

  copy(from: Matrix, to: Matrix): void {
    this.#launches.push(copyOf(operand(from), operand(to), to.rows));
  }

  /** The sum of each row of `from`, below each other from a row of `to` on. */
  sumRows(from: Matrix, to: Matrix, row: number): void {
    this.#launches.push({
      kernel: { op: "reduce", fn: "sum", width: from.width },
      rows: from.rows,
      inputs: [operand(from)],
      outputs: [operand(to, { row })],
    });
  }

  /** The sum of each column. */
  sumColumns(from: Matrix, to: Matrix): void {
    const one = this.matrix("1", "constant", 1, 1, [1]);
    this.#launches.push({
      kernel: {
        op: "gemm", rows: 1, width: from.width, addend: false,
        terms: [{ a: 0, b: 1, transposeA: true, transposeB: false, depth: "rows" }],
      },
      rows: from.rows,
      inputs: [scalar(one), operand(from)],
      outputs: [operand(to)],
    }); // prettier-ignore
  }

  program(name: string): Program {
    const parameters = this.#buffers.flatMap(({ name: of, role }, i) =>
      role === "parameter" ? [[of, i] as const] : [],
    );
    return {
      name,
      buffers: this.#buffers,
      sections: [{ kind: "whole", parts: [{ kind: "rows", launches: this.#launches }] }],
      states: [],
      inputs: {},
      outputs: {},
      parameters: Object.fromEntries(parameters),
    };
  }
}

/** A map without its width. */
export type Equations = Pick<MapKernel, "inputs" | "instructions" | "outputs">;

/** Pointwise equations, from expressions. Results come in the order of `outputs`. */
export function equations(
  names: readonly string[],
  outputs: readonly string[],
  define: (values: Readonly<Record<string, Expr>>) => Readonly<Record<string, Expr>>,
): Equations {
  const graph = new Graph();
  const inputs = names.map((name) => graph.input(name, 1, "batch"));
  const defined = define(Object.fromEntries(inputs.map((node) => [node.name, new Expr(graph, node)])));
  const places = new Map<number, Argument>(inputs.map(({ id }, input) => [id, { input }]));
  const instructions: Instruction[] = [];
  const write = (fn: FunctionName, args: readonly Argument[]): Argument => ({
    result: instructions.push({ fn, args }) - 1,
  });
  // A node comes after its arguments.
  for (const node of graph.nodes) {
    if (node.op === "constant") places.set(node.id, { constant: node.value });
    if (node.op === "map")
      places.set(
        node.id,
        write(
          node.fn,
          node.args.map(({ id }) => places.get(id) as Argument),
        ),
      );
  }
  return {
    inputs: names.length,
    instructions,
    outputs: outputs.map((name) => {
      const place = places.get((defined[name] as Expr).node.id) as Argument;
      return ("result" in place ? place : (write("copy", [place]) as { readonly result: number })).result;
    }),
  };
}
