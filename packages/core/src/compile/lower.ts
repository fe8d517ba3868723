/**
 * Lower: values become kernels, and the kernels' operands places in buffers. Maps that meet at one level and shape are one
 * kernel; products that are stacked are one gemm.
 */
import type { GemmTerm, Launch, Operand, Part, Program, ReduceName, Role, Section } from "../backend.ts";
import { copyOf } from "./copy.ts";
import { fuseMaps } from "./fuse.ts";
import { homesOf } from "./homes.ts";
import { cut, widthOf } from "./layout.ts";
import { fuses } from "./levels.ts";
import { kindOf, sectionOf } from "./place.ts";
import { sortBy, stackGemms, type Backward, type Side, type Single } from "./stack.ts";
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
  const single: Single = (run, kernel, inputs, over) => {
    const [v] = run as [Value];
    const [first, ...more] = destinations(v) as [Operand];
    const to = { ...first, width: kernel.op === "reduce" ? 1 : kernel.width };
    return [
      { kernel, rows: rowsOf(v, over), inputs, outputs: [to] },
      ...more.map((other) => copyOf(first, other, rowsOf(v))),
    ];
  };

  const product = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const width = widthOf(run);
    const inputs: Operand[] = [];
    /** An operand, whose one row may stand for all of v's. */
    const put = (a: Value, wide: number): number =>
      inputs.push({ ...read(a, v.loop), width: wide, ...(a.domain !== v.domain && { repeatRow: true }) }) - 1;
    const addend = addendOf(v);
    if (addend) put(addend, width);
    const terms = (backward?.sides(run) ?? products(v)).map((side: Side): GemmTerm => {
      const { left, right, transposed, rightWidth = right.width } = side;
      const a = put(right, rightWidth);
      // Rows by a matrix stored [out, in].
      const b = inputs.push(read(left, v.loop)) - 1;
      return { a, b, transposeA: false, transposeB: !transposed, depth: rightWidth };
    });
    return single(run, { op: "gemm", rows: "rows", width, addend: addend !== undefined, terms }, inputs);
  };

  const launchesOf = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const { op, width } = v;
    const readHere = (a: Value): Operand => read(a, v.loop);
    if (op === "map") return [fuseMaps(run, homes, rowsOf(v))];
    if (op === "product") return product(gemms.get(v) as Value[]);
    if (op === "gather") return single(run, { op, width }, v.args.map(readHere));
    if (op === "reduce") {
      const input = readHere(v.args[0] as Value);
      return single(run, { op, fn: v.fn as ReduceName, width: input.width }, [input]);
    }
    return backward?.launches(gemms.get(v) ?? run, single, readHere) ?? [];
  };

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
