/**
 * Lower: values become kernels, and the kernels' operands places in buffers. Maps that meet at one level and shape are one
 * kernel; products that are stacked are one gemm.
 */
import type { BufferSpec, GemmTerm, Kernel, Launch, Operand, Part, Section, StateSpec } from "../backend.ts";
import { fail } from "../errors.ts";
import { fuseMaps } from "./fuse.ts";
import { gradientsOf, Homes, type Root } from "./homes.ts";
import { cut, Layout } from "./layout.ts";
import { assignLevels } from "./levels.ts";
import { kindOf, partOf, sectionOf } from "./place.ts";
import { eachSide, stackGemms, type Backward } from "./stack.ts";
import { isLeaf, type Term, type Value, type Values } from "./value.ts";

export interface Lowered {
  readonly buffers: readonly BufferSpec[];
  readonly sections: readonly Section[];
  readonly states: readonly StateSpec[];
  readonly inputs: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, Operand>>;
  readonly parameters: Readonly<Record<string, number>>;
}

export function lower(values: Values, roots: readonly Root[], backward: Backward | undefined): Lowered {
  const levels = assignLevels(values);
  const gradients = gradientsOf(roots);
  const layout = new Layout(new Set<Value>([...values.next.values(), ...gradients.keys()]));
  const gemms = stackGemms(values, levels, layout, gradients, backward);
  const homes = new Homes(values, roots, levels, layout);

  const rowsOf = (v: Value): Launch["rows"] =>
    v.domain === "one" ? v.rows : v.domain === "batch" || v.loop ? "batch" : "steps";
  const copy = (from: Operand, to: Operand, rows: Launch["rows"]): Launch => ({
    kernel: { op: "map", width: to.width, inputs: 1, instructions: [{ fn: "copy", args: [{ input: 0 }] }], outputs: [0] },
    rows, inputs: [from], outputs: [to], label: "copy",
  }); // prettier-ignore

  /** A kernel that writes one result; further destinations are copies. */
  const single = (
    v: Value,
    kernel: Kernel,
    rows: Launch["rows"],
    from: readonly Operand[],
    label: string,
    width = v.width,
  ): Launch[] => {
    const [first, ...more] = homes.destinations(v);
    if (!first) return [];
    return [
      { kernel, rows, inputs: from, outputs: [{ ...first, width }], label },
      ...more.map((to) => copy(first, to, rowsOf(v))),
    ];
  };

  const gemm = (run: readonly Value[]): Launch[] => {
    const [v] = run as [Value];
    const { loop } = v;
    const ends: Operand[] = [];
    const terms: GemmTerm[] = [];
    const total = run.reduce((sum, g) => sum + g.width, 0);
    const outer = v.terms[0]?.kind === "outer";
    const rowStack = outer && v.terms[0]?.left.op !== "constant";
    const [addend] = v.args;
    if (addend) {
      const from = homes.read(addend, loop);
      ends.push({
        ...from,
        width: rowStack ? v.width : total,
        repeatRow: addend.domain === "one" && v.domain !== "one",
      });
    }
    const put = (o: Operand): number => ends.push(o) - 1;
    for (const { left, leftWidth, right, rightWidth, transposed } of (backward?.sides ?? eachSide)(
      run,
      layout,
    ))
      if (outer) {
        // Σ over rows of a ⊗ b: aᵀ·b.
        const a = put({ ...homes.read(left, loop), width: leftWidth });
        const b = put({ ...homes.read(right, loop), width: rightWidth });
        terms.push({ a, b, transposeA: true, transposeB: false, depth: "rows" });
      } else {
        const repeatRow = right.domain === "one" && v.domain !== "one";
        const a = put({ ...homes.read(right, loop), width: rightWidth, repeatRow });
        terms.push({
          a,
          b: put(homes.read(left, loop)),
          transposeA: false,
          transposeB: !transposed,
          depth: rightWidth,
        });
      }
    const stackRows = run.reduce((sum, g) => sum + g.rows, 0);
    const kernel: Kernel = {
      op: "gemm",
      rows: outer ? (rowStack ? stackRows : 1) : "rows",
      width: rowStack ? v.width : total,
      addend: addend !== undefined,
      terms,
    };
    const over = outer ? rowsOf({ ...(v.terms[0] as Term).right, loop }) : rowsOf(v);
    return single(v, kernel, over, ends, run.map((g) => g.label).join(" "), rowStack ? v.width : total);
  };

  const launchesOf = (at: number): Launch[] => {
    const here = values.all.filter((v) => v.at === at && !isLeaf(v) && v.op !== "slice");
    const found: { level: number; launches: Launch[] }[] = [];
    const maps = new Map<string, Value[]>();
    for (const v of here) {
      const rank = levels.get(v) as number;
      const push = (launches: Launch[]): unknown => found.push({ level: rank, launches });
      if (v.op === "map") {
        const key = `${rank}|${v.width}|${v.rows}|${v.domain}|${v.loop?.id}`;
        maps.set(key, [...(maps.get(key) ?? []), v]);
      } else if (v.op === "gemm") {
        const run = gemms.get(v);
        if (run) push(gemm(run));
      } else if (v.op === "reduce") {
        const [arg] = v.args as [Value];
        push(
          single(
            v,
            { op: "reduce", fn: v.reduce ?? "sum", width: arg.width },
            rowsOf(v),
            [homes.read(arg, v.loop)],
            v.label,
          ),
        );
      } else if (v.op === "gather") {
        const [table, index] = v.args as [Value, Value];
        push(
          single(
            v,
            { op: "gather", width: v.width },
            rowsOf(v),
            [homes.read(table, v.loop), homes.read(index, v.loop)],
            "gather",
          ),
        );
      } else if (v.op === "scatterAdd") {
        const [index, added] = v.args as [Value, Value];
        push(
          single(
            v,
            { op: "scatterAdd", width: v.width, tableRows: v.domain === "one" ? v.rows : "steps" },
            rowsOf(added),
            [homes.read(index, v.loop), homes.read(added, v.loop)],
            "scatterAdd",
          ),
        );
      } else {
        // A map wrote its columns itself; the rest is copied in.
        push(
          [...new Set(v.args)]
            .filter((a) => a.op !== "map")
            .flatMap((a) => homes.slicesOf(v, a).map((to) => copy(homes.read(a, v.loop), to, rowsOf(v)))),
        );
      }
    }
    for (const group of maps.values()) {
      const [v] = group as [Value];
      const results = group.map((g) => ({
        value: g,
        destinations: homes.destinations(g),
      }));
      found.push({
        level: levels.get(v) as number,
        launches: [
          fuseMaps(
            results,
            (a) => ({
              ...homes.read(a, v.loop),
              repeatRow: a.domain === "one" && (v.domain !== "one" || a.rows < v.rows),
              repeatColumn: a.width < v.width,
            }),
            v.width,
            rowsOf(v),
          ),
        ],
      });
    }
    return found.sort((a, b) => a.level - b.level).flatMap((f) => f.launches);
  };

  const places = [...new Set(values.all.filter((v) => !isLeaf(v)).map((v) => v.at))].sort((a, b) => a - b);
  const sections: Section[] = cut(places, (a, b) => sectionOf(a) === sectionOf(b)).map((run) => ({
    kind: kindOf(sectionOf(run[0] as number)),
    parts: run
      .map((at): Part => ({ kind: partOf(at) % 2 === 1 ? "loop" : "rows", launches: launchesOf(at) }))
      .filter((part) => part.launches.length > 0),
  }));

  const outputs = Object.fromEntries(roots.map(({ name, value }) => [name, homes.read(value, undefined)]));
  const specs = [...values.next.keys()].map((state): StateSpec => {
    const { leaf } = state;
    if (leaf?.op !== "state") return fail("INTERNAL", "a state without a leaf");
    const history = homes.historyOf(state);
    return {
      name: leaf.name,
      buffer: homes.stateBuffer(state),
      reverse: leaf.loop.reverse,
      initial: leaf.initial,
      ...(history && { history }),
    };
  });
  const { buffers, inputs, parameters } = homes;
  return {
    buffers,
    sections: sections.filter((s) => s.parts.length > 0),
    states: specs,
    inputs,
    outputs,
    parameters,
  };
}
