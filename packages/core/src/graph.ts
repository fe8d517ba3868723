/**
 * The expression graph of a network: products with parameter matrices, pointwise functions, row reductions, states that are
 * carried from step to step, and names for all that goes in and comes out. A node stands for a value at every step; nothing
 * is computed here.
 *
 * Equal nodes are one node (interned within a graph, never globally), so a cell may write the same subexpression twice.
 * Graphs are built by expressions, which check what users give, and by the adjoint, which needs no checks.
 */
import type { FunctionName, ReduceName } from "./backend.ts";
import { fail } from "./errors.ts";
import type { Initializer } from "./initializers.ts";
import type { Sizes } from "./ragged.ts";

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

/** A loop over time, and the direction in which it walks. */
export interface Loop {
  readonly id: number;
  readonly name: string;
  readonly reverse: boolean;
}

/** Parameters stacked by rows in one matrix of `width` columns (the gates of W, say), so that their products are one gemm. */
export interface Storage {
  readonly name: string;
  readonly width: number;
  rows: number;
}

/** A layer that was applied, under the name of its states. */
export interface AppliedLayer {
  readonly layer: object;
  readonly name: string;
  readonly kind: string;
  readonly width: number;
}

export interface BuildOptions {
  /** Rows have lengths: steps past a row's end keep their states and give 0. */
  readonly masked?: boolean;
  /** Dropout draws its masks. */
  readonly dropout?: boolean;
}

/** A mask to be drawn: 1 with probability `keep`. */
export interface Dropout {
  readonly input: InputNode;
  readonly keep: number;
  /** All steps of a sequence have the same. */
  readonly once: boolean;
}

const domains: readonly Domain[] = ["one", "batch", "sequence"];

type Shape = Pick<Base, "width" | "rows" | "domain">;
/** Ids as floats. Allocates nothing where they are floats. @throws INVALID_ARGUMENT where they aren't ids */
export type ReadIds = (data: unknown, who: string) => Float32Array;

/** What a node of one kind holds besides what every node does; its shape where it isn't its widest arguments'. */
type Fields<N extends Node> = Omit<N, keyof Base | "op"> & Partial<Shape>;

export class Graph {
  readonly nodes: Node[] = [];
  readonly #interned = new Map<string, Node>();
  readonly loops: Loop[] = [];
  readonly parameters = new Map<string, ParameterNode>();
  readonly storages = new Map<string, Storage>();
  /** State → its value after the step. */
  readonly next = new Map<StateNode, Node>();

  readonly inputs = new Map<string, InputNode>();
  /** Inputs that hold ids, with what checks and converts them. */
  readonly ids = new Map<string, ReadIds>();
  /** Inputs that nobody gives: they follow from a call's sizes. */
  readonly derived = new Map<string, (sizes: Sizes) => Float32Array>();
  readonly outputs = new Map<string, Node>();
  readonly states = new Map<string, StateNode>();
  readonly traces = new Map<string, Node>();
  readonly layers: AppliedLayer[] = [];
  /** The name that the next layer gets unless it has one: its place in a stack. */
  place: string | undefined;
  readonly dropouts: Dropout[] = [];
  /** 1 where the row's sequence has this step, else 0. */
  readonly mask: InputNode | undefined;

  constructor(readonly options: BuildOptions = {}) {
    if (options.masked) this.mask = this.input("mask", 1, "sequence");
  }

  /**
   * The node of this kind on these arguments.
   * @param detail tells it from others of its kind and shape on the same arguments
   */
  node<N extends Node>(
    op: N["op"],
    detail: string | number | boolean,
    fields: Fields<N>,
    ...args: readonly Node[]
  ): N {
    const shape: Shape = {
      width: Math.max(1, ...args.map((a) => a.width)),
      rows: Math.max(1, ...args.map((a) => a.rows)),
      domain: domains[Math.max(0, ...args.map((a) => domains.indexOf(a.domain)))] as Domain,
      ...fields,
    };
    const key = [op, detail, shape.width, shape.rows, shape.domain, ...args.map((a) => a.id)].join("|");
    let node = this.#interned.get(key);
    if (!node) {
      node = { op, ...shape, args, id: this.nodes.length } as unknown as N;
      this.nodes.push(node);
      this.#interned.set(key, node);
    }
    return node as N;
  }

  input(name: string, width: number, domain: "batch" | "sequence"): InputNode {
    return this.node<InputNode>("input", name, { name, width, domain });
  }

  loop(name: string, reverse: boolean): Loop {
    const loop: Loop = { id: this.loops.length, name, reverse };
    this.loops.push(loop);
    return loop;
  }

  /** What it becomes after the step is to be set in `next`. */
  state(loop: Loop, name: string, width: number, initial: number): StateNode {
    const detail = `${loop.id} ${name}`;
    return this.node<StateNode>("state", detail, { name, loop, initial, width, domain: "sequence" });
  }

  /** A vector [width] or matrix [rows, columns]. Asking again for the same name gives the same parameter. */
  parameter(
    name: string,
    storage: string,
    shape: readonly number[],
    initializer: Initializer,
  ): ParameterNode {
    const [width = 1, rows = 1] = [...shape].reverse();
    const home = this.storages.get(storage) ?? { name: storage, width, rows: 0 };
    const fields = { name, storage: home, row: home.rows, shape, initializer, rows, width };
    const node = this.node<ParameterNode>("parameter", name, fields);
    home.rows = Math.max(home.rows, node.row + rows);
    this.storages.set(storage, home);
    this.parameters.set(name, node);
    return node;
  }

  /** Constants are told apart by Object.is: ∞, −∞, NaN, 0 and −0 are five. */
  constant(value: number): ConstantNode {
    return this.node<ConstantNode>("constant", Object.is(value, -0) ? "-0" : value, { value });
  }

  product(matrix: Node, v: Node, transposed = false): ProductNode {
    const width = transposed ? matrix.width : matrix.rows;
    return this.node<ProductNode>("product", transposed, { transposed, width, rows: 1 }, matrix, v);
  }

  map(fn: FunctionName, ...args: readonly Node[]): MapNode {
    const node = this.node<MapNode>("map", fn, { fn }, ...args);
    if (args.some((a) => a.width !== 1 && a.width !== node.width))
      fail(
        "SHAPE_MISMATCH",
        `${fn}: expected operands of one width, got ${args.map((a) => `${describe(a)} of ${a.width}`).join(" and ")}; only a width of 1 is repeated`,
      );
    if (node.domain === "sequence" && args.some((a) => a.domain === "batch"))
      fail(
        "UNSUPPORTED",
        `${fn}: expected values with the same rows, got one with a row a sequence and one with a row a step`,
      );
    return node;
  }

  /** Repeat a width of 1, and one row for every row of a wider domain. */
  expand(v: Node, width: number, domain: Domain = v.domain): Node {
    if (v.width === width && v.domain === domain) return v;
    return this.node<MapNode>("map", "copy", { fn: "copy", width, domain }, v);
  }

  /** `v` at the steps that a row has, `otherwise` past its end. */
  within(v: Node, otherwise: Node = this.constant(0)): Node {
    return this.mask && v.domain === "sequence" ? this.map("select", this.mask, v, otherwise) : v;
  }

  /** The same, of what is wanted at every step: what follows from parameters alone doesn't change. */
  atSteps(v: Node, otherwise?: Node): Node {
    return this.within(v.domain === "one" ? this.expand(v, v.width, "sequence") : v, otherwise);
  }
}

// What only some networks need is beside the graph, so that the others' bundles go without it.

export const gather = (graph: Graph, table: Node, index: Node): GatherNode =>
  graph.node<GatherNode>("gather", "", { width: table.width, rows: 1, domain: index.domain }, table, index);

/** The result is shaped like `table`. */
export const scatterAdd = (graph: Graph, { rows, domain }: Node, index: Node, values: Node): ScatterAddNode =>
  graph.node<ScatterAddNode>("scatterAdd", "", { width: values.width, rows, domain }, index, values);

export const outer = (graph: Graph, a: Node, b: Node): OuterNode =>
  graph.node<OuterNode>("outer", "", { width: b.width, rows: a.width, domain: "one" }, a, b);

export const reduce = (graph: Graph, fn: ReduceName, v: Node): ReduceNode =>
  graph.node<ReduceNode>("reduce", fn, { fn, width: 1 }, v);

export const slice = (graph: Graph, v: Node, start: number, width: number): Node =>
  width === v.width ? v : graph.node<SliceNode>("slice", start, { start, width }, v);

/** Side by side: widths add. There is at least one. */
export function join(graph: Graph, ...args: readonly Node[]): Node {
  const first = args[0] as Node;
  if (args.some((a) => a.domain !== first.domain))
    fail("UNSUPPORTED", "concat: expected values with the same rows");
  const width = args.reduce((sum, a) => sum + a.width, 0);
  return args.length === 1 ? first : graph.node<ConcatNode>("concat", "", { width }, ...args);
}

/** A node's name in messages. */
export function describe(node: Node): string {
  if ("name" in node) return node.name;
  if (node.op === "constant") return String(node.value);
  return `${"fn" in node ? node.fn : node.op}(…)`;
}
