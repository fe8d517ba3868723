/**
 * How a user declares a cell. What is wrong with it shows where it is declared or first applied, and by whose fault: nothing
 * of this is needed for cells that are known to make sense.
 */
import { cell as unchecked, type Size, type StateShape, type WeightSpec } from "./cell.ts";
import { check, checkName, checkOptions, isRecord, isWhole } from "./check.ts";
import { fail } from "./errors.ts";
import { Expr, nodeOf } from "./expr.ts";

/**
 * Declare a cell. Sizes come later, with `recurrent(cell, { inputSize, hiddenSize })`.
 * @throws RecurraError INVALID_ARGUMENT, UNKNOWN_NAME for what is wrong with the declaration; where it is applied also SHAPE_MISMATCH
 */
/* @__NO_SIDE_EFFECTS__ */
export const cell: typeof unchecked = (declaration) => {
  checkOptions(declaration, ["name", "state", "W", "U", "b", "weights", "step"], "cell");
  const { name, state, W = [], U = [], b = [], weights = {}, step } = declaration;
  const who = `cell ${name}`;
  check(typeof name === "string", "cell: name", "a text", name);
  check(typeof step === "function", who, "a step", step);
  check(Array.isArray(state) || isRecord(state), who, "states by name", state);
  check(isRecord(weights), who, "weights by name", weights);

  // What a step is given or gives back under other names.
  const taken = ["x", "W", "U", "b", "y"];
  const checkNamed = (key: string, ...sizes: readonly (Size | undefined)[]): void => {
    checkName(key, `${who}: states and weights`, taken);
    taken.push(key);
    for (const size of sizes)
      check(
        size === "I" || size === "H" || isWhole(size),
        `${who}: size of ${key}`,
        '"I", "H" or a whole number of at least 1',
        size,
      );
  };
  const states: readonly (readonly [string, StateShape])[] = Array.isArray(state)
    ? state.map((key: string) => [key, {}])
    : Object.entries(state);
  const names = states.map(([key]) => key);
  for (const [key, shape] of states) {
    checkOptions(shape, ["width", "initial"], `${who}: ${key}`);
    const { initial = 0 } = shape;
    checkNamed(key, "width" in shape ? shape.width : "H");
    check(
      typeof initial === "number" && !Number.isNaN(initial),
      `${who}: initial ${key}`,
      "a number",
      initial,
    );
  }
  if (!names.includes("h"))
    fail(
      "INVALID_ARGUMENT",
      `${who}: expected a state called h, got ${names.join(", ") || "none"}; h is what the recurrent matrices U apply to`,
    );
  const gated: [group: string, gates: readonly string[]][] = [["W", W], ["U", U], ["b", b]]; // prettier-ignore
  for (const [key, spec] of Object.entries(weights as Readonly<Record<string, WeightSpec<unknown>>>)) {
    checkOptions(spec, ["gates", "rows", "width", "initializer", "value"], `${who}: ${key}`);
    const { gates, width, rows = 1 } = spec;
    checkNamed(key, width, rows);
    if (gates !== undefined) gated.push([key, gates]);
  }
  for (const [group, gates] of gated) {
    check(Array.isArray(gates), `${who}: ${group}`, "a list of gates", gates);
    for (const gate of gates) checkName(gate, `${who}: gates of ${group}`);
  }

  return unchecked({
    ...declaration,
    step(values) {
      const given: Record<string, unknown> = { ...values };
      for (const [group] of gated) given[group] = strict(`${who}: ${group}`, given[group] as object);
      const returned = step(given as typeof values);
      check(
        isRecord(returned) && !((returned as unknown) instanceof Expr),
        who,
        "its step to return { h: … }, the next states by name",
        returned,
      );
      for (const [key, value] of Object.entries(returned))
        if (value !== undefined) nodeOf(value, `${who}: ${key} of its step`, values.x.graph);
      for (const key of names) {
        const [{ width }, next] = [
          given[key] as Expr,
          (returned as Readonly<Record<string, Expr | undefined>>)[key],
        ];
        if (!next)
          fail(
            "INVALID_ARGUMENT",
            `${who}: expected its step to return the next ${key}, got ${Object.keys(returned).join(", ") || "nothing"}`,
          );
        if (next.width !== width)
          fail(
            "SHAPE_MISMATCH",
            `${who}: state ${key}: expected width ${width}, got ${next.width}; a step must return each state in its own width`,
          );
      }
      return returned;
    },
  });
};

/** A record that answers an unknown name with a clear error, for those who write without types. */
const strict = (who: string, record: object): object =>
  new Proxy(record, {
    get: (target: Readonly<Record<string, unknown>>, key) =>
      target[key as string] ??
      fail(
        "UNKNOWN_NAME",
        `${who}.${String(key)}: expected one of ${Object.keys(target).join(", ") || "no gates"}; declare the gate first`,
      ),
  });
