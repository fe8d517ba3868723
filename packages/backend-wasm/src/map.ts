/** `map` as a routine: the equations of a cell on four units at a time, generated from its instructions. */
import type { MapKernel } from "@recurra/core";
import { add, count, I32, less, mul, repeat, sub, V128, when, type Assembler, type Code, type Local, type Routine } from "./assembler.ts"; // prettier-ignore
import * as v from "./instructions/v128.ts";
import { emitters, type Context } from "./functions.ts";
import { fieldsOf, LAUNCH_PARAMETERS } from "./words.ts";

/** A map's numbers: its width in bytes, and whether all its rows lie one behind the other. */
const MAP_NUMBERS = 2;

/** A map with what its routine depends on besides: which of its inputs repeat a column. */
export interface EquationMap {
  readonly kernel: MapKernel;
  readonly repeated: readonly boolean[];
}

/** Maps of one key are one routine, whatever their width. */
export const mapKey = ({ kernel: { instructions, outputs }, repeated }: EquationMap): string =>
  JSON.stringify([instructions, outputs, repeated], (_, value: unknown) =>
    typeof value === "number" ? textOf(value) : value,
  );

/** Infinities, NaN and −0, too, each have a text of their own. */
const textOf = (n: number): string => (Object.is(n, -0) ? "-0" : String(n));

export function mapRoutine(
  assembler: Assembler,
  { kernel: { instructions, inputs, outputs }, repeated }: EquationMap,
  relaxed: boolean,
): Routine {
  return assembler.routine(LAUNCH_PARAMETERS, (parameters, locals, local) => {
    const [[width, flat], operands, read] = fieldsOf(
      parameters,
      local,
      MAP_NUMBERS,
      inputs + outputs.length,
      1,
    );
    const pointers = operands.map(([base]) => base);
    const rows = parameters[2];
    const given = pointers.slice(0, inputs).map(() => local(V128));
    const results = instructions.map(() => local(V128));
    const [column, row] = locals(I32);
    const constants: Code[] = [];
    const held = new Map<string, Local>();
    const context: Context = {
      locals,
      madd: v.madd(relaxed),
      number(n) {
        const known = held.get(textOf(n)) ?? local(V128);
        // Set where the routine begins.
        if (!held.has(textOf(n))) constants.push(known.set(v.constant(n)));
        held.set(textOf(n), known);
        return known;
      },
    };

    const compute = instructions.map(({ fn, args }, i): Code => {
      const [a, b, c] = args.map((arg) => {
        if ("input" in arg) return given[arg.input] as Local;
        if ("result" in arg) return results[arg.result] as Local;
        return context.number(arg.constant);
      }) as [Local, Local, Local];
      return (results[i] as Local).set(emitters[fn](context, a, b, c));
    });
    const at = (i: number): Code[] => [...add(pointers[i] as Local, column)];
    const stored = outputs.map((result, o) => [at(inputs + o), results[result] as Local] as const);
    const left = sub(width, column);

    return [
      constants,
      read,
      when(flat, [width.set(mul(width, rows)), rows.set(less(0, rows))]),
      when(width, [
        count(row, 0, rows, 1, [
          given.map((value, i) => (repeated[i] ? value.set(v.splatAt(pointers[i] as Local)) : [])),
          column.set(0),
          repeat(
            [
              given.map((value, i) => (repeated[i] ? [] : value.set(v.load(at(i))))),
              compute,
              // The last vector of a row is read whole, and stored as far as the row goes.
              when(
                less(left, 16),
                stored.map(([to, value]) => [
                  v.storeLane(to, value, 0),
                  when(less(4, left), v.storeLane(to, value, 1)),
                  when(less(8, left), v.storeLane(to, value, 2)),
                ]),
                stored.map(([to, value]) => v.store(to, value)),
              ),
              column.add(16),
            ],
            less(column, width),
          ),
          operands.map(([base, stride]) => base.add(stride)),
        ]),
      ]),
    ];
  });
}
