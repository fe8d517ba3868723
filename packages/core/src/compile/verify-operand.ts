/** The part of the verifier that looks at one operand: whether it lies in its buffer, and which region of it that is. */
import type { BufferSpec, Launch, Operand, Part, Program, Section } from "../backend.ts";
import { overlaps, type Region } from "./region.ts";
import type { Refuse, Shape } from "./verify-kernel.ts";

/** Where in the program a launch stands. */
export interface Site {
  readonly section: Section;
  readonly part: Part;
}

/** The region that an operand of this shape is. */
export function regionOf(program: Program, o: Operand, shape: Shape, site: Site, refuse: Refuse): Region {
  const spec = program.buffers[o.buffer] ?? refuse(`expected a buffer, got number ${o.buffer}`);
  for (const [what, value] of [
    ["column", o.column],
    ["row", o.row],
  ] as const)
    if (!Number.isInteger(value) || value < 0) refuse(`expected a ${what} of at least 0, got ${value}`);
  if ((o.repeatRow || o.repeatColumn) && !shape.repeats) refuse("expected no repeated rows or columns here");
  if (o.width !== (o.repeatColumn ? 1 : shape.width))
    refuse(`expected a width of ${o.repeatColumn ? 1 : shape.width}, got ${o.width}`);
  checkSlots(o, spec, site, refuse);
  const rows = rowsOf(o, spec, o.repeatRow ? 1 : shape.rows, site, refuse);
  // A vector may span rows of a stacked storage.
  const columns = rows.stacked ? spec.width : o.width;
  if (o.column + columns > spec.width || o.row + rows.count > (spec.rows === "batch" ? 1 : spec.rows))
    refuse(
      `expected an operand inside ${spec.name}, ${spec.rows} · ${spec.width}, got ${rows.count} rows from ${o.row}, ${o.width} columns from ${o.column}`,
    );
  return {
    buffer: o.buffer,
    pair: o.pair,
    shift: o.shift,
    rows: [o.row, o.row + rows.count],
    columns: [o.column, o.column + columns],
  };
}

function checkSlots(o: Operand, spec: BufferSpec, { section, part }: Site, refuse: Refuse): void {
  if ((spec.role === "state") !== (o.pair !== undefined))
    refuse(`expected a pair for states only, got ${o.pair ?? "none"} of ${spec.name}`);
  if (o.pair && part.kind !== "loop")
    refuse(`expected state ${spec.name} in a loop only, whose steps exchange the pair`);
  if (o.shift !== 0 && spec.slots !== "steps+1")
    refuse(`expected the slot of this step, ${spec.name} has none after the last`);
  if (spec.slots === "chunk" && section.kind === "whole")
    refuse(`expected values of all steps, ${spec.name} holds a chunk of them`);
}

/** How many of the buffer's rows an operand takes up; those of a sequence count as one. */
function rowsOf(
  o: Operand,
  spec: BufferSpec,
  wanted: Shape["rows"],
  { section, part }: Site,
  refuse: Refuse,
): { readonly count: number; readonly stacked?: boolean } {
  const misfit = (): never =>
    refuse(`expected ${spec.name} to have ${wanted} rows, got ${spec.rows} and slots ${spec.slots}`);
  if (wanted === "table") {
    if (o.row !== 0) refuse(`expected a table from its first row, got row ${o.row}`);
    if (spec.rows !== "batch") return { count: spec.rows };
    return section.kind === "whole" && (spec.slots === "steps" || spec.slots === "steps+1")
      ? { count: 1 }
      : misfit();
  }
  if (typeof wanted === "number") {
    if (spec.rows === "batch") misfit();
    const stacked = wanted === 1 && o.column === 0 && o.width > spec.width && o.width % spec.width === 0;
    return stacked ? { count: o.width / spec.width, stacked } : { count: wanted };
  }
  if (spec.rows !== "batch") misfit();
  const everyStep = spec.slots === "chunk" || spec.slots === "steps" || spec.slots === "steps+1";
  // A row part works on the slots of all its steps at once.
  if (part.kind === "rows" && everyStep !== (wanted === "steps")) misfit();
  return { count: 1 };
}

/** No kernel reads what it writes, and none writes anything twice; a map may work in place. */
export function checkAliases(
  launch: Launch,
  { part }: Site,
  inputs: readonly Region[],
  outputs: readonly Region[],
  inPlace: boolean,
  refuse: Refuse,
): void {
  // Over many steps at once, one step's next slot is another step's own.
  const meet = (a: Region, b: Region): boolean =>
    overlaps(a, b) && (part.kind === "rows" || a.shift === b.shift);
  outputs.forEach((out, i) => {
    if (outputs.some((other, j) => j > i && meet(out, other))) refuse(`output ${i} is written twice`);
    inputs.forEach((input, j) => {
      if (!meet(out, input)) return;
      const [to, from] = [launch.outputs[i] as Operand, launch.inputs[j] as Operand];
      const same =
        to.column === from.column &&
        to.row === from.row &&
        to.width === from.width &&
        to.shift === from.shift;
      if (launch.kernel.op !== "map" || !inPlace || !same || from.repeatRow || from.repeatColumn)
        refuse(`output ${i} overlaps input ${j}`);
    });
  });
}
