/**
 * Verify: whether a program is one that a backend can run blindly. Every operand lies in its buffer, every kernel fits its
 * operands, what is read was written before, and every state and output is written. It knows how parts use slots (see
 * `BufferSpec`), and nothing of how the program came about. Tests and the conformance kit run it after every pass that makes
 * a program; a model doesn't, so that no page ships it.
 */
import type { Backend, BufferSpec, Operand, Part, Program, StateSpec } from "../backend.ts";
import { fail } from "../errors.ts";
import { covered, overlaps, type Region } from "./region.ts";
import { shapesOf, type Refuse, type Shape } from "./verify-kernel.ts";
import { checkAliases, regionOf, type Site } from "./verify-operand.ts";

type Target = Pick<Backend, "limits" | "inPlace">;

/** A region that was written at this step, and how long that can be read: within the step, the chunk, or for good. */
interface Written extends Site {
  readonly region: Region;
  readonly until: "step" | "chunk" | "end";
}

const anything: Target = {
  limits: { rows: Infinity },
  inPlace: true,
};

/** @throws RecurraError INTERNAL, naming the section, part and launch that break the contract */
export function verify(program: Program, target: Target = anything): void {
  checkBuffers(program, refuser(program));
  const written: Written[] = [];
  const forget = (until: Written["until"]): void => {
    for (let i = written.length - 1; i >= 0; i--) if (written[i]?.until === until) written.splice(i, 1);
  };
  const carried: Written[] = [];
  program.sections.forEach((section, s) => {
    section.parts.forEach((part, p) => {
      const where = `section ${s} (${section.kind}) part ${p} (${part.kind})`;
      if (part.kind === "loop" && section.kind === "whole")
        refuser(program, where)("expected no loop over steps in a section that runs once");
      const launches = shapes(program, { section, part }, target, where);
      const all = launches.flatMap((l) => l.written);
      for (const { reads, written: writes, refuse } of launches) {
        for (const region of reads) checkRead(program, region, { section, part }, written, all, refuse);
        written.push(...writes);
      }
      carried.push(...all.filter((w) => w.region.pair === "next"));
      forget("step");
    });
    forget("chunk");
  });
  for (const state of program.states) checkState(program, state, carried);
  for (const [name, o] of Object.entries(program.outputs))
    checkOutput(program, o, written, refuser(program, `output ${name}`));
}

/** A backend that verifies every program it is given, for tests. */
export function verifying<B extends Backend>(backend: B): B {
  const prepareProgram: Backend["prepareProgram"] = (program) => {
    verify(program, backend);
    return backend.prepareProgram?.(program);
  };
  return new Proxy(backend, {
    get(of, key) {
      if (key === "prepareProgram") return prepareProgram;
      const member: unknown = Reflect.get(of, key);
      return typeof member === "function" ? (member.bind(of) as unknown) : member;
    },
  });
}

const refuser =
  (program: Program, where?: string): Refuse =>
  (what) =>
    fail("INTERNAL", `program ${program.name}: ${where === undefined ? "" : `${where}: `}${what}`);

const specOf = (program: Program, { buffer }: { readonly buffer: number }): BufferSpec =>
  program.buffers[buffer] as BufferSpec;

function checkBuffers({ buffers, inputs, parameters, states }: Program, refuse: Refuse): void {
  buffers.forEach(({ name, role, rows, width, slots, data }) => {
    for (const size of [width, ...(rows === "batch" ? [] : [rows])])
      if (!(Number.isInteger(size) && size > 0))
        refuse(`buffer ${name}: expected sizes of at least 1, got ${size}`);
    const batch = rows === "batch";
    const fits = {
      parameter: !batch && slots === 1,
      constant: !batch && slots === 1 && data?.length === rows * width,
      input: batch && (slots === "steps" || slots === 1),
      state: batch && slots === 1,
      history: batch && slots === "steps+1",
      output: slots === 1 || (batch && slots !== "chunk"),
      value: slots === 1 || batch,
    };
    if (!fits[role])
      refuse(`buffer ${name}: expected the sizes of ${role}s, got ${rows} · ${width} with slots ${slots}`);
  });
  for (const { name, buffer, reverse, history } of states) {
    if (!history) continue;
    const [spec, width] = [buffers[history.buffer], buffers[buffer]?.width];
    const inside = spec !== undefined && history.column + history.width <= spec.width;
    if (!inside || spec.slots !== "steps+1" || history.width !== width || history.shift !== (reverse ? 1 : 0))
      refuse(
        `state ${name}: expected a history of width ${width} in the slots before the steps, got width ${history.width} at slot ${history.shift}`,
      );
  }
  const owners = {
    input: Object.values(inputs),
    parameter: Object.values(parameters),
    state: states.map((s) => s.buffer),
  };
  for (const [role, owned] of Object.entries(owners)) {
    const all = buffers.flatMap((spec, i) => (spec.role === role ? [i] : []));
    if (owned.length !== all.length || all.some((buffer) => !owned.includes(buffer)))
      refuse(
        `expected each buffer of role ${role} under one name, ${all.join() || "none"}, got ${owned.join() || "none"}`,
      );
  }
}

interface Checked {
  readonly reads: readonly Region[];
  readonly written: readonly Written[];
  readonly refuse: Refuse;
}

/** A part's launches, each checked by itself. */
function shapes(program: Program, site: Site, { limits, inPlace }: Target, where: string): Checked[] {
  const { section, part } = site;
  return part.launches.map((launch, l) => {
    const names = launch.outputs.map((o) => program.buffers[o.buffer]?.name);
    const refuse = refuser(program, `${where} launch ${l} (${launch.kernel.op} to ${names.join(", ")})`);
    const fits =
      part.kind === "loop" ? launch.rows === "batch" : section.kind === "whole" || launch.rows === "steps";
    if (!fits) refuse(`expected rows that this part has, got ${launch.rows}`);
    const asked = shapesOf(launch, limits, refuse);
    const regions = (operands: readonly Operand[], of: readonly Shape[], what: string): Region[] =>
      operands.map((o, i) =>
        regionOf(program, o, of[i] as Shape, site, (why) => refuse(`${what} ${i}: ${why}`)),
      );
    const reads = regions(launch.inputs, asked.inputs, "input");
    const writes = regions(launch.outputs, asked.outputs, "output");
    checkAliases(launch, site, reads, writes, inPlace, refuse);
    const written = writes.map((region): Written => {
      const { name, role, slots } = specOf(program, region);
      // A program without outputs is there for what it does to parameters: training's update.
      const updates = Object.keys(program.outputs).length === 0;
      const roles = ["value", "output", "history", ...(updates ? ["parameter"] : [])];
      if (!(roles.includes(role) || region.pair === "next"))
        refuse(`${role} ${name}${region.pair ? ` (${region.pair})` : ""} isn't to be written`);
      if (program.states.some(({ history: h }) => h?.buffer === region.buffer && h.shift === region.shift))
        refuse(`${name} keeps the state after the step in the slot of the state before it`);
      const until =
        slots === "chunk"
          ? "chunk"
          : slots === "steps" || slots === "steps+1" || part.kind === "rows"
            ? "end"
            : "step";
      return { ...site, region, until };
    });
    return { reads, written, refuse };
  });
}

const given: ReadonlySet<BufferSpec["role"]> = new Set<BufferSpec["role"]>([
  "input",
  "parameter",
  "constant",
]);

/** @param part all that the part writes: a loop's earlier steps have run all of it */
function checkRead(
  program: Program,
  region: Region,
  site: Site,
  written: readonly Written[],
  part: readonly Written[],
  refuse: Refuse,
): void {
  const { name, role } = specOf(program, region);
  if (given.has(role) || region.pair === "current") return;
  const there = written.filter((w) => w.region.shift === region.shift).map((w) => w.region);
  if (covered(region, there)) return;
  // The slot before: of a history the first is given, and the others were written a step earlier.
  const state = program.states.find(
    ({ history: h }) =>
      h?.buffer === region.buffer &&
      h.shift === region.shift &&
      h.column <= region.columns[0] &&
      region.columns[1] <= h.column + h.width,
  );
  const direction = state?.reverse ? "reverse" : "forward";
  const earlier = (site.part.kind === "loop" ? [...written, ...part] : written).filter(
    (w) => w.region.shift !== region.shift && (w.section !== site.section || site.section.kind === direction),
  );
  if (!state || !covered(region, earlier.map(({ region: r }) => ({ ...r, shift: region.shift })))) refuse(`${name} is read before it is written`); // prettier-ignore
}

function checkState(
  program: Program,
  { name, buffer, reverse }: StateSpec,
  carried: readonly Written[],
): void {
  const refuse = refuser(program, `state ${name}`);
  const { width } = specOf(program, { buffer });
  const writes = carried.filter((w) => w.region.buffer === buffer);
  const whole: Region = { buffer, pair: "next", shift: 0, rows: [0, 1], columns: [0, width] };
  if (!covered(whole, writes.map((w) => w.region))) refuse("expected every element to be written in a step"); // prettier-ignore
  if (writes.some((a, i) => writes.some((b, j) => j > i && overlaps(a.region, b.region))))
    refuse("expected to be written once a step");
  const direction = reverse ? "reverse" : "forward";
  if (writes.some((w) => w.section.kind !== direction))
    refuse(`expected to be written in a ${direction} section`);
  const loops = program.sections.flatMap((s) => s.parts).filter((part) => uses(part, buffer));
  if (loops.length !== 1) refuse(`expected one loop that carries it, got ${loops.length}`);
}

const uses = (part: Part, buffer: number): boolean =>
  part.launches.some((l) => [...l.inputs, ...l.outputs].some((o) => o.buffer === buffer));

function checkOutput(program: Program, o: Operand, written: readonly Written[], refuse: Refuse): void {
  const spec = program.buffers[o.buffer] ?? refuse(`expected a buffer, got number ${o.buffer}`);
  if (spec.role !== "output" && spec.role !== "history")
    refuse(`expected a buffer that is shared with core, got ${spec.role} ${spec.name}`);
  if (o.pair || o.repeatRow || o.repeatColumn) refuse("expected neither a pair nor repetition");
  // Of a gradient's matrix only the first row is known here; the rest came out of the same kernel.
  const region: Region = {
    buffer: o.buffer,
    pair: undefined,
    shift: o.shift,
    rows: [o.row, o.row + 1],
    columns: [o.column, o.column + o.width],
  };
  if (o.column + o.width > spec.width)
    refuse(`expected columns of ${spec.name}, got ${o.width} from ${o.column}`);
  const site = { section: { kind: "whole", parts: [] }, part: { kind: "rows", launches: [] } } as const;
  checkRead(program, region, site, written, [], refuse);
}
