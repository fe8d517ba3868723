/**
 * Lower: values become kernels, and the kernels' operands places in buffers. Maps that meet at one level and shape are one
 * kernel; products that are stacked are one gemm.
 */
import type {
  GemmTerm,
  Kernel,
  Launch,
  Operand,
  Part,
  Program,
  ReduceName,
  Role,
  Section,
} from "../backend.ts";
import { fuseMaps } from "./fuse.ts";
import { homesOf, labelOf } from "./homes.ts";
import { cut, widthOf } from "./layout.ts";
import { fuses } from "./levels.ts";
import { kindOf, sectionOf } from "./place.ts";
import { sortBy, stackGemms, type Backward, type Side } from "./stack.ts";
import { addendOf, isGemm, isLeaf, products, type Value, type Values } from "./value.ts";

export function lower(
  name: string,
  values: Values,
  names: readonly string[],
  backward: Backward | undefined,
): Program {
  const gemms = stackGemms(values, backward);
  const homes = homesOf(values, names);
  const { buffers, read, destinations, stateOf, historyOf } = homes;

  /** The rows of v's kernel, which works on those of `of`. */
  const rowsOf = (v: Value, { domain, rows } = v): Launch["rows"] =>
    domain === "one" ? rows : domain === "batch" || v.loop ? "batch" : "steps";

  /** A kernel that writes one result, over the rows of `over`; further destinations are copies. */
  const single = (run: readonly Value[], kernel: Kernel, inputs: readonly Operand[], over?: Value): Launch[] => {
    const [v] = run as [Value];
    const [first, ...more] = destinations(v) as [Operand];
    const to = { ...first, width: kernel.op === "reduce" ? 1 : kernel.width };
    return [
      { kernel, rows: rowsOf(v, over), inputs, outputs: [to], label: labelOf(run) },
      ...more.map((other): Launch => ({
        kernel: { op: "map", width: v.width, inputs: 1, instructions: [{ fn: "copy", args: [{ input: 0 }] }], outputs: [0] },
        rows: rowsOf(v), inputs: [first], outputs: [other], label: "copy",
      })),
    ];
  }; // prettier-ignore

  const gemm = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const [first] = products(v);
    const outer = v.op === "outer";
    // Gradients of matrices are stacked by rows, everything else by columns.
    const byRows = outer && first?.left.op !== "constant";
    const width = byRows ? v.width : widthOf(run);
    const inputs: Operand[] = [];
    /** An operand, whose one row may stand for all of v's. */
    const put = (a: Value, wide: number, repeats: boolean): number =>
      inputs.push({ ...read(a, v.loop), width: wide, ...(repeats && a.domain !== v.domain && { repeatRow: true }) }) - 1;
    const addend = addendOf(v);
    if (addend) put(addend, width, true);
    const terms = (backward?.sides(run) ?? products(v)).map((side: Side): GemmTerm => {
      const { left, right, transposed, leftWidth = left.width, rightWidth = right.width } = side;
      // A sum over rows of a ⊗ b, aᵀ·b, or rows by a matrix stored [out, in].
      return outer
        ? { a: put(left, leftWidth, false), b: put(right, rightWidth, false), transposeA: true, transposeB: false, depth: "rows" }
        : { a: put(right, rightWidth, true), b: put(left, leftWidth, false), transposeA: false, transposeB: !transposed, depth: rightWidth };
    });
    const rows = !outer ? "rows" : byRows ? run.reduce((sum, g) => sum + g.rows, 0) : 1;
    return single(run, { op: "gemm", rows, width, addend: addend !== undefined, terms }, inputs, outer ? first?.right : v);
  }; // prettier-ignore

  const launchesOf = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const { op, width, loop, domain, rows } = v;
    if (op === "map") return [fuseMaps(run, homes, rowsOf(v))];
    const inputs = v.args.map((a) => read(a, loop));
    const [first, second] = v.args as [Value, Value];
    if (op === "reduce") return single(run, { op, fn: v.fn as ReduceName, width: first.width }, inputs);
    if (op === "gather") return single(run, { op, width }, inputs);
    if (op === "scatterAdd") return single(run, { op, width, tableRows: domain === "one" ? rows : "steps" }, inputs, second);
    return gemm(gemms.get(v) as Value[]);
  }; // prettier-ignore

  // Concatenations and slices are only places in memory; stacked gemms are run by the first of them.
  const first = values.all.filter((v) => !isLeaf(v) && v.op !== "slice" && v.op !== "concat" && (!isGemm(v) || gemms.has(v))); // prettier-ignore
  const ordered = sortBy(first, ({ at, level, op, width, rows, domain, loop }) =>
    op === "map" ? [at, level, 1, width, rows, domain, loop?.id ?? -1] : [at, level, 0],
  );
  const sections = cut(ordered, (a, b) => sectionOf(a.at) === sectionOf(b.at)).map((section): Section => ({
    kind: kindOf((section[0] as Value).at),
    parts: cut(section, (a, b) => a.at === b.at).map((part): Part => ({
      kind: (part[0] as Value).at % 2 ? "loop" : "rows",
      launches: cut(part, (a, b) => fuses(a, b) && a.level === b.level).flatMap(launchesOf),
    })),
  }));

  const outputs = Object.fromEntries(values.roots.map((v, i) => [names[i] as string, read(v, undefined)]));
  const states = [...values.next.keys()].map((state) => {
    const history = historyOf(state);
    return {
      name: state.name as string,
      buffer: stateOf(state, "current").buffer,
      reverse: state.loop?.reverse === true,
      initial: state.initial as number,
      ...(history && { history }),
    };
  });
  const named = (role: Role): Record<string, number> =>
    Object.fromEntries(buffers.flatMap((b, i) => (b.role === role ? [[b.name, i]] : [])));
  return {
    name,
    buffers,
    sections,
    states,
    inputs: named("input"),
    outputs,
    parameters: named("parameter"),
  };
}
