/**
 * Explain: a program as text, a line a kernel with its shapes, floating-point operations and bytes, then its memory. What a
 * user reads to see what will run, and the author of a backend before anything else.
 */
import type { BufferSpec, Part, Program, Section } from "./backend.ts";
import { compile } from "./compile/compile.ts";
import { add, everyStep, show, times, type Amount, type Sizes } from "./explain/amount.ts";
import { lineOf, namesOf, rowsOf } from "./explain/launch.ts";
import { gradientRecipe } from "./gradient.ts";
import { chunkLength } from "./interpret.ts";
import { fail } from "./errors.ts";
import type { Model } from "./model.ts";
import { checkOptions, kindOf } from "./check.ts";

export interface ExplainOptions {
  /** Of a model: what it does for `run` and in streams, or for `gradient`. Default: "run". */
  readonly kind?: "run" | "gradient";
  /** A number of steps in place of T. */
  readonly steps?: number;
  /** A batch size in place of B. */
  readonly batch?: number;
}

/**
 * A program, or what a model plans for its backend, as text. T is the number of steps, B the batch size, C the steps of a
 * chunk; v1, v2, … are values that only kernels see, and s′ is the state s after the step.
 */
export function explain(of: Program | Model, options: ExplainOptions = {}): string {
  checkOptions(options, ["kind", "steps", "batch"], "explain");
  if (typeof of !== "object" || (of as unknown) === null || !("sections" in of || "engine" in of))
    fail("INVALID_ARGUMENT", `explain: expected a model or a program, got ${kindOf(of)}`);
  const program = "sections" in of ? of : planOf(of, options.kind ?? "run");
  const { steps, batch } = options;
  const sizes: Sizes = {
    ...(steps !== undefined && { T: steps }),
    ...(batch !== undefined && { B: batch }),
    ...(steps !== undefined && batch !== undefined && { C: chunkLength(steps, batch, Infinity) }),
  };
  return [...walk(program, sizes), "", ...memory(program, sizes)].map((line) => line.trimEnd()).join("\n");
}

function planOf({ engine }: Model, kind: "run" | "gradient"): Program {
  const graph = engine.network.build();
  const { outputs, states } = graph;
  const recipe = kind === "run" ? { outputs, states: [...states.values()] } : gradientRecipe(graph);
  return compile(graph, { name: kind, target: engine.backend, ...recipe });
}

function walk(program: Program, sizes: Sizes): string[] {
  const names = namesOf(program);
  const text = (amount: Amount): string => show(amount, sizes);
  const parts = program.sections.flatMap((section) =>
    section.parts.map((part) => ({
      section,
      part,
      lines: part.launches.map((l) => lineOf(l, program, names, sizes)),
    })),
  );
  const total = (key: "flops" | "bytes"): string =>
    text(
      add(
        ...parts.flatMap(({ part, lines }) =>
          lines.map((line) => (part.kind === "loop" ? everyStep(line[key]) : line[key])),
        ),
      ),
    );

  const [head, ...body] = table([
    ["", "shape", "flops", "bytes", ""],
    ...parts.flatMap(({ lines }) =>
      lines.map((l) => [l.kernel, l.shape, text(l.flops), text(l.bytes), l.what]),
    ),
  ]);
  return [
    `${program.name}: ${total("flops")} flops, ${total("bytes")} bytes read and written`,
    `    ${head}`,
    ...parts.flatMap(({ section, part }) => [
      ...(section.parts[0] === part ? [sectionTitle(section, text)] : []),
      `  ${partTitle(section, part, text)}`,
      ...body.splice(0, part.launches.length).map((line) => `    ${line}`),
    ]),
  ];
}

type Text = (amount: Amount) => string;

function sectionTitle({ kind }: Section, text: Text): string {
  if (kind === "whole") return `whole: all ${text({ T: 1 })} steps at once`;
  const [from, to] = kind === "forward" ? ["first", "last"] : ["last", "first"];
  return `${kind}: from the ${from} step to the ${to}, in chunks of ${text({ C: 1 })}`;
}

function partTitle({ kind, parts }: Section, part: Part, text: Text): string {
  if (part.kind === "loop") return `loop: at each of ${text({ T: 1 })} steps`;
  const before = parts.slice(0, parts.indexOf(part)).some((p) => p.kind === "loop");
  const after = parts.slice(parts.indexOf(part)).some((p) => p.kind === "loop");
  return `rows${kind === "whole" || (!before && !after) ? "" : !before ? " before the loop" : after ? " between loops" : " after the loop"}`;
}

/** Every buffer, by what its size depends on. */
function memory(program: Program, sizes: Sizes): string[] {
  const names = namesOf(program);
  const groups: Record<string, { bytes: Amount; readonly lines: string[][] }> = {};
  program.buffers.forEach((spec, i) => {
    const sequence = spec.slots === "steps" || spec.slots === "steps+1";
    const key = spec.role === "parameter" ? "parameters" : sequence ? "as long as the sequence" : "the rest";
    const group = (groups[key] ??= { bytes: {}, lines: [] });
    const copies = spec.role === "state" ? 2 : 1;
    const bytes = times(rowsOf(spec), 4 * spec.width * copies);
    const shape = `${copies === 2 ? "2 × " : ""}[${shapeOf(spec, sizes).join(", ")}]`;
    group.bytes = add(group.bytes, bytes);
    group.lines.push([`    ${names[i]}`, spec.role, shape, show(bytes, sizes)]);
  });
  return table([
    ["memory", "", "shape", "bytes"],
    ...Object.entries(groups).flatMap(([key, { bytes, lines }]) => [
      [`  ${key}`, "", "", show(bytes, sizes)],
      ...lines,
    ]),
  ]);
}

function shapeOf({ slots, rows, width }: BufferSpec, sizes: Sizes): readonly string[] {
  const [T, C, B] = (["T", "C", "B"] as const).map((unit) => show({ [unit]: 1 }, sizes)) as [
    string,
    string,
    string,
  ];
  const after = sizes.T === undefined ? "T+1" : show({ "": sizes.T + 1 }, sizes);
  const slot = { steps: [T], "steps+1": [after], chunk: [C], 1: [] }[slots];
  return [...slot, rows === "batch" ? B : String(rows), String(width)];
}

/** Cells padded to columns; numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  const numeric = rows[0]?.map((title) => title === "flops" || title === "bytes") ?? [];
  return rows.map((row) =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  "),
  );
}
