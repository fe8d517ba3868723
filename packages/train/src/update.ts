/**
 * The update: clipping and the optimizer as one program over the parameters' storages, gradients and moments, none of which leaves the
 * device. It writes parameters and moments in place where a map may, else beside them, and copies. Before it the norm of the gradients
 * is found, since nothing is updated by what isn't finite.
 */
import { clamp, min, reciprocal, sqrt, type Backend, type Expr } from "@recurra/core";
import type { Program } from "@recurra/core/internal";
import { equations, Launches, scalar, type Matrix } from "./launches.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";

export interface Clip {
  /** The largest norm of all gradients together, √Σg²: larger ones are scaled down to it. Pascanu, Mikolov & Bengio 2013. */
  readonly norm?: number;
  /** The largest magnitude of an element, after that. */
  readonly value?: number;
}

/** A matrix that holds parameters. */
export interface Storage {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
}

/** The names of an update's buffers. */
export const scalarsBuffer = "scalars";
export const squaresBuffer = "Σg²";
export const gradientBuffer = (storage: string): string => `d.${storage}`;
export const momentBuffer = (moment: string, storage: string): string => `${moment}.${storage}`;

/** Buffers are named as above, and parameters by their storage. */
export function updateProgram(
  { moments, scalars, update }: Optimizer,
  { norm, value }: Clip,
  storages: readonly Storage[],
  backend: Pick<Backend, "inPlace" | "limits">,
): Program {
  const launches = new Launches();
  const numbers = Object.keys(scalars(1, 0));
  const row = launches.matrix(scalarsBuffer, "parameter", 1, numbers.length);
  const all = storages.map(({ name, rows, width }) => {
    const matrix = (of: string): Matrix => launches.matrix(of, "parameter", rows, width);
    return {
      p: matrix(name),
      g: matrix(gradientBuffer(name)),
      moments: Object.keys(moments).map((moment) => matrix(momentBuffer(moment, name))),
    };
  });
  const factor = norm === undefined ? undefined : factorOf(launches, norm);

  const results = ["p", ...Object.keys(moments)];
  const kernel = equations(
    ["g", ...results, ...numbers, ...(factor ? ["factor"] : [])],
    results,
    ({ g, factor: by, ...values }) => {
      const scaled = by ? (g as Expr).times(by) : (g as Expr);
      return update({ ...values, g: value === undefined ? scaled : clamp(scaled, -value, value) });
    },
  );
  // Where maps are split a later one may read again what an earlier one wrote.
  const inPlace = backend.inPlace && !backend.limits.maps;
  for (const { p, g, moments: own } of all) {
    const held = [p, ...own];
    const to = inPlace ? held : held.map(({ rows, width }) => launches.matrix("next", "value", rows, width));
    const inputs = [
      g,
      ...held,
      ...numbers.map((_, i) => scalar(row, i)),
      ...(factor ? [scalar(factor)] : []),
    ];
    launches.map(kernel, inputs, to);
    if (!inPlace) to.forEach((from, i) => launches.copy(from, held[i] as Matrix));
  }
  const program = launches.program("update");
  return backend.limits.maps?.split(program) ?? program;
}

/** Σg² of all gradients together, into a number of its own: what clipping scales by, and whether they are finite. */
export function normProgram(storages: readonly Storage[], backend: Pick<Backend, "limits">): Program {
  const launches = new Launches();
  const square = equations(["g"], ["square"], ({ g }) => ({ square: (g as Expr).times(g as Expr) }));
  const sums = launches.matrix("sums", "value", storages.reduce((sum, { rows }) => sum + rows, 0), 1); // prettier-ignore
  let at = 0;
  for (const { name, rows, width } of storages) {
    const squares = launches.matrix("squares", "value", rows, width);
    launches.map(square, [launches.matrix(gradientBuffer(name), "parameter", rows, width)], [squares]);
    launches.sumRows(squares, sums, at);
    at += rows;
  }
  launches.sumColumns(sums, launches.matrix(squaresBuffer, "parameter", 1, 1));
  const program = launches.program("norm");
  return backend.limits.maps?.split(program) ?? program;
}

/** min(1, norm / (√Σg² + 1e-6)), as PyTorch's clip_grad_norm_. */
function factorOf(launches: Launches, norm: number): Matrix {
  const factor = launches.matrix("factor", "value", 1, 1);
  const scale = equations(["sum"], ["factor"], ({ sum }) => ({
    factor: min(reciprocal(sqrt(sum as Expr).plus(1e-6)).times(norm), 1),
  }));
  launches.map(scale, [launches.matrix(squaresBuffer, "parameter", 1, 1)], [factor]);
  return factor;
}
