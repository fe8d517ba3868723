/**
 * The expression graph: products with parameter matrices, pointwise functions, row reductions, and states that are carried
 * from step to step. A node stands for a value at every step; nothing is computed here.
 *
 * Equal nodes are one node (interned within a graph, never globally), so a cell may write the same subexpression twice.
 */
import type { FunctionName, ReduceName } from "./backend.ts";
import { fail } from "./errors.ts";
import type { Initializer } from "./initializers.ts";

/**
 * How many rows a value has: "one" for parameters and what follows from them alone, "batch" a row for each sequence,
 * "sequence" a row for each sequence and step.
 */
export type Domain = "one" | "batch" | "sequence";

interface Base {
  readonly id: number;
  readonly width: number;
  readonly domain: Domain;
  /** Rows of a value of domain "one" (a matrix has more than 1); 1 otherwise. */
  readonly rows: number;
  readonly args: readonly Node[];
}
export interface InputNode extends Base {
  readonly op: "input";
  readonly name: string;
}
export interface StateNode extends Base {
  readonly op: "state";
  readonly name: string;
  readonly loop: Loop;
  readonly initial: number;
}
export interface ParameterNode extends Base {
  readonly op: "parameter";
  readonly name: string;
  /** The stacked matrix that holds it, and its first row there. */
  readonly storage: Storage;
  readonly row: number;
  /** [width], or [rows, columns] of a matrix. */
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}
export interface ConstantNode extends Base {
  readonly op: "constant";
  readonly value: number;
}
/** matrix·v, or matrixᵀ·v; args: matrix, v. */
export interface ProductNode extends Base {
  readonly op: "product";
  readonly transposed: boolean;
}
/** Σ over all rows of a ⊗ b, a matrix [a.width, b.width]; args: a, b. */
export interface OuterNode extends Base {
  readonly op: "outer";
}
export interface MapNode extends Base {
  readonly op: "map";
  readonly fn: FunctionName;
}
export interface ReduceNode extends Base {
  readonly op: "reduce";
  readonly fn: ReduceName;
}
export interface ConcatNode extends Base {
  readonly op: "concat";
}
export interface SliceNode extends Base {
  readonly op: "slice";
  readonly start: number;
}
/** Rows of a table (a parameter, or a whole sequence) by index; args: table, index. */
export interface GatherNode extends Base {
  readonly op: "gather";
}
/** The adjoint of gather: a table whose row i sums the values with index i; args: index, values. */
export interface ScatterAddNode extends Base {
  readonly op: "scatterAdd";
}
export type Node =
  | InputNode | StateNode | ParameterNode | ConstantNode | ProductNode | OuterNode
  | MapNode | ReduceNode | ConcatNode | SliceNode | GatherNode | ScatterAddNode; // prettier-ignore

/** A loop over time: its states, and the direction in which it walks. */
export interface Loop {
  readonly id: number;
  readonly name: string;
  readonly reverse: boolean;
  readonly states: StateNode[];
}

/** Parameters stacked by rows in one matrix of `width` columns (the gates of W, say), so that their products are one gemm. */
export interface Storage {
  readonly name: string;
  readonly width: number;
  rows: number;
}

const domains: readonly Domain[] = ["one", "batch", "sequence"];
const wider = (a: Domain, b: Domain): Domain => (domains.indexOf(a) > domains.indexOf(b) ? a : b);

type Unnumbered<N> = N extends Node ? Omit<N, "id"> : never;

export class Graph {
  readonly nodes: Node[] = [];
  readonly loops: Loop[] = [];
  readonly parameters = new Map<string, ParameterNode>();
  readonly storages = new Map<string, Storage>();
  /** State → its value after the step. */
  readonly next = new Map<StateNode, Node>();
  readonly #interned = new Map<string, Node>();

  #add<N extends Node>(node: Unnumbered<N>): N {
    const numbered = { ...node, id: this.nodes.length } as unknown as N;
    this.nodes.push(numbered);
    return numbered;
  }

  #intern<N extends Node>(node: Unnumbered<N>, detail: string | number | boolean): N {
    this.own(...node.args);
    const key = `${node.op}|${detail}|${node.args.map((a) => a.id).join()}`;
    let found = this.#interned.get(key);
    if (!found) this.#interned.set(key, (found = this.#add<N>(node)));
    return found as N;
  }

  /** Checks that nodes are this graph's. */
  own(...nodes: readonly Node[]): void {
    for (const node of nodes)
      if (this.nodes[node.id] !== node)
        fail(
          "INVALID_ARGUMENT",
          `${describe(node)}: expected expressions of one network, got another network's`,
        );
  }

  input(name: string, width: number, domain: "batch" | "sequence"): InputNode {
    return this.#add({ op: "input", name, width, domain, rows: 1, args: [] });
  }

  loop(name: string, reverse: boolean): Loop {
    const loop: Loop = { id: this.loops.length, name, reverse, states: [] };
    this.loops.push(loop);
    return loop;
  }

  state(loop: Loop, name: string, width: number, initial: number): StateNode {
    const node = this.#add<StateNode>({
      op: "state",
      name,
      loop,
      initial,
      width,
      domain: "sequence",
      rows: 1,
      args: [],
    });
    loop.states.push(node);
    return node;
  }

  /** Say what a state becomes after the step. */
  carry(state: StateNode, next: Node): void {
    this.own(next);
    if (next.width !== state.width)
      fail(
        "SHAPE_MISMATCH",
        `state ${state.name}: expected width ${state.width}, got ${next.width}; a step must return each state in its own width`,
      );
    this.next.set(state, next);
  }

  /** A vector [width] or matrix [rows, columns]. Asking again for the same name gives the same parameter. */
  parameter(
    name: string,
    storage: string,
    shape: readonly number[],
    initializer: Initializer,
  ): ParameterNode {
    const [rows, width] = shape.length === 1 ? [1, shape[0] as number] : (shape as [number, number]);
    const known = this.parameters.get(name);
    if (known) {
      if (known.shape.join() !== shape.join())
        fail(
          "SHAPE_MISMATCH",
          `${name}: expected shape [${known.shape.join(", ")}] as where it was first used, got [${shape.join(", ")}]; give the layers different names`,
        );
      return known;
    }
    let home = this.storages.get(storage);
    if (!home) this.storages.set(storage, (home = { name: storage, width, rows: 0 }));
    if (home.width !== width)
      fail(
        "SHAPE_MISMATCH",
        `${name}: expected ${home.width} columns as in the rest of ${storage}, got ${width}`,
      );
    const node = this.#add<ParameterNode>({
      op: "parameter",
      name,
      storage: home,
      row: home.rows,
      shape,
      initializer,
      rows,
      width,
      domain: "one",
      args: [],
    });
    home.rows += rows;
    this.parameters.set(name, node);
    return node;
  }

  /** Constants are told apart by Object.is: ∞, −∞, NaN, 0 and −0 are five. */
  constant(value: number): ConstantNode {
    return this.#intern(
      { op: "constant", value, width: 1, domain: "one", rows: 1, args: [] },
      Object.is(value, -0) ? "-0" : value,
    );
  }

  product(matrix: Node, v: Node, transposed = false): ProductNode {
    const [inner, width] = transposed ? [matrix.rows, matrix.width] : [matrix.width, matrix.rows];
    if (v.width !== inner)
      fail(
        "SHAPE_MISMATCH",
        `${describe(matrix)}.dot: expected a vector of ${inner}, got ${describe(v)} of ${v.width}; a matrix is [out, in]`,
      );
    return this.#intern(
      { op: "product", transposed, width, domain: v.domain, rows: 1, args: [matrix, v] },
      transposed,
    );
  }

  outer(a: Node, b: Node): OuterNode {
    return this.#intern({ op: "outer", width: b.width, rows: a.width, domain: "one", args: [a, b] }, "");
  }

  map(fn: FunctionName, ...args: readonly Node[]): MapNode {
    const width = Math.max(...args.map((a) => a.width));
    const rows = Math.max(...args.map((a) => a.rows));
    for (const a of args)
      if ((a.width !== width && a.width !== 1) || (a.rows !== rows && a.rows !== 1))
        fail(
          "SHAPE_MISMATCH",
          `${fn}: expected operands of one width, got ${args.map((b) => `${describe(b)} of ${b.width}`).join(" and ")}; only a width of 1 is repeated`,
        );
    const domain = args.map((a) => a.domain).reduce(wider);
    if (domain === "sequence" && args.some((a) => a.domain === "batch"))
      fail(
        "UNSUPPORTED",
        `${fn}: a value with a row a sequence can't be combined with one that has a row a step; feed it as a state's initial value`,
      );
    return this.#intern({ op: "map", fn, width, rows, domain, args }, fn);
  }

  /** Repeat a width of 1, and one row for every row of a wider domain. */
  expand(v: Node, width: number, domain: Domain = v.domain): Node {
    if (v.width === width && v.domain === domain) return v;
    return this.#intern<MapNode>(
      { op: "map", fn: "copy", width, rows: v.rows, domain, args: [v] },
      `expand${width}${domain}`,
    );
  }

  reduce(fn: ReduceName, v: Node): ReduceNode {
    return this.#intern({ op: "reduce", fn, width: 1, rows: v.rows, domain: v.domain, args: [v] }, fn);
  }

  concat(...args: readonly Node[]): Node {
    const [first] = args;
    if (!first) fail("INVALID_ARGUMENT", "concat: expected at least one expression, got none");
    if (args.length === 1) return first;
    const domain = args.map((a) => a.domain).reduce(wider);
    if (args.some((a) => a.domain !== domain))
      fail("UNSUPPORTED", "concat: expected values with the same rows");
    return this.#intern(
      { op: "concat", width: args.reduce((sum, a) => sum + a.width, 0), rows: first.rows, domain, args },
      "",
    );
  }

  slice(v: Node, start: number, width: number): Node {
    if (start === 0 && width === v.width) return v;
    return this.#intern(
      { op: "slice", start, width, rows: v.rows, domain: v.domain, args: [v] },
      `${start}:${width}`,
    );
  }

  gather(table: Node, index: Node): GatherNode {
    return this.#intern(
      { op: "gather", width: table.width, rows: 1, domain: index.domain, args: [table, index] },
      "",
    );
  }

  /** The result is shaped like `table`. */
  scatterAdd(table: Node, index: Node, values: Node): ScatterAddNode {
    const { rows, domain } = table;
    return this.#intern(
      { op: "scatterAdd", width: values.width, rows, domain, args: [index, values] },
      `${domain}${rows}`,
    );
  }
}

/** A node's name in messages. */
export function describe(node: Node): string {
  if (node.op === "input" || node.op === "state" || node.op === "parameter") return node.name;
  if (node.op === "constant") return String(node.value);
  return node.op === "map" || node.op === "reduce" ? `${node.fn}(…)` : `${node.op}(…)`;
}
