/**
 * Lower: values become kernels, and the kernels' operands places in buffers. Maps that meet at one level and shape are one
 * kernel; products that are stacked are one gemm.
 */
import type { Kernel, Launch, Operand, Part, Program, ReduceName, Role, Section } from "../backend.ts";
import { fuseMaps } from "./fuse.ts";
import { homesOf, labelOf } from "./homes.ts";
import { cut, widthOf } from "./layout.ts";
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
  const { buffers, read, destinations, slicesOf, stateOf, historyOf } = homesOf(values, names);

  /** The rows of v's kernel, which works on those of `of`. */
  const rowsOf = (v: Value, { domain, rows } = v): Launch["rows"] =>
    domain === "one" ? rows : domain === "batch" || v.loop ? "batch" : "steps";

  const copy = (v: Value, from: Operand, to: Operand): Launch => ({
    kernel: { op: "map", width: to.width, inputs: 1, instructions: [{ fn: "copy", args: [{ input: 0 }] }], outputs: [0] },
    rows: rowsOf(v), inputs: [from], outputs: [to], label: "copy",
  }); // prettier-ignore

  /** A kernel that writes one result, over the rows of `over`; further destinations are copies. */
  const single = (
    run: readonly Value[],
    kernel: Kernel,
    inputs: readonly Operand[],
    over?: Value,
    width = run[0]?.width as number,
  ): Launch[] => {
    const [v] = run as [Value];
    const [first, ...more] = destinations(v) as [Operand];
    return [
      { kernel, rows: rowsOf(v, over), inputs, outputs: [{ ...first, width }], label: labelOf(run) },
      ...more.map((to) => copy(v, first, to)),
    ];
  };

  /** Where `v`'s kernel finds an operand whose one row may stand for all of v's. */
  const spread = (a: Value, v: Value, width: number): Operand => {
    const found = read(a, v.loop);
    return { ...found, width, repeatRow: a.domain === "one" && v.domain !== "one" };
  };

  const gemm = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const [first] = products(v);
    const outer = v.op === "outer";
    // Gradients of matrices are stacked by rows, everything else by columns.
    const byRows = outer && first?.left.op !== "constant";
    const width = byRows ? v.width : widthOf(run);
    const addend = addendOf(v);
    const inputs = addend ? [spread(addend, v, width)] : [];
    const put = (o: Operand): number => inputs.push(o) - 1;
    const terms = (backward?.sides(run) ?? products(v)).map((side: Side) => {
      const { left, right, transposed, leftWidth = left.width, rightWidth = right.width } = side;
      const matrix = { ...read(left, v.loop), width: leftWidth };
      const vector = outer ? { ...read(right, v.loop), width: rightWidth } : spread(right, v, rightWidth);
      // Rows by a matrix stored [out, in], or a sum over rows of a ⊗ b: aᵀ·b.
      return outer
        ? { a: put(matrix), b: put(vector), transposeA: true, transposeB: false, depth: "rows" as const }
        : { a: put(vector), b: put(matrix), transposeA: false, transposeB: !transposed, depth: rightWidth };
    });
    const rows = !outer ? "rows" : byRows ? run.reduce((sum, g) => sum + g.rows, 0) : 1;
    return single(run, { op: "gemm", rows, width, addend: inputs.length > 2 * terms.length, terms }, inputs, outer ? first?.right : v, width);
  }; // prettier-ignore

  const launchesOf = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const { op, width, loop } = v;
    if (isGemm(v)) return gemm(run);
    if (op === "map")
      return [
        fuseMaps(
          run,
          destinations,
          (a) => ({
            ...read(a, loop),
            repeatRow: a.domain === "one" && (v.domain !== "one" || a.rows < v.rows),
            repeatColumn: a.width < width,
          }),
          rowsOf(v),
        ),
      ];
    // A map wrote its columns itself; the rest is copied in.
    if (op === "concat")
      return [...new Set(v.args)]
        .filter((a) => a.op !== "map")
        .flatMap((a) => slicesOf(v, a).map((to) => copy(v, read(a, loop), to)));
    const inputs = v.args.map((a) => read(a, loop));
    const [first, second] = v.args as [Value, Value];
    return op === "reduce"
      ? single(run, { op, fn: v.fn as ReduceName, width: first.width }, inputs)
      : op === "gather"
        ? single(run, { op, width }, inputs)
        : single(run, { op: "scatterAdd", width, tableRows: v.domain === "one" ? v.rows : "steps" }, inputs, second);
  }; // prettier-ignore

  // What one kernel computes, by whatever tells it from the others.
  const kernels = new Map<unknown, Value[]>();
  for (const v of values.all) {
    if (isLeaf(v) || v.op === "slice") continue;
    const { op, at, level, width, rows, domain, loop } = v;
    if (op === "map") {
      const key = [at, level, width, rows, domain, loop?.id].join();
      const others = kernels.get(key);
      if (others) others.push(v);
      else kernels.set(key, [v]);
    } else if (!isGemm(v)) kernels.set(v, [v]);
    else if (gemms.has(v)) kernels.set(v, gemms.get(v) as Value[]);
  }
  const ordered = sortBy([...kernels.values()], ([v]) => {
    const { at, level, op } = v as Value;
    return [at, level, op === "map" ? 1 : 0];
  });
  const placeOf = ([run]: readonly (readonly Value[])[]): number => run?.[0]?.at as number;
  const parts = cut(ordered, (a, b) => placeOf([a]) === placeOf([b]));
  const sections = cut(parts, (a, b) => sectionOf(placeOf(a)) === sectionOf(placeOf(b))).map(
    (section): Section => ({
      kind: kindOf(placeOf(section[0] as Value[][])),
      parts: section
        .map((part): Part => ({
          kind: placeOf(part) % 2 ? "loop" : "rows",
          launches: part.flatMap(launchesOf),
        }))
        .filter((part) => part.launches.length > 0),
    }),
  );

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
    sections: sections.filter((s) => s.parts.length > 0),
    states,
    inputs: named("input"),
    outputs,
    parameters: named("parameter"),
  };
}
