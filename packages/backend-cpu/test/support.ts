// What the tests share: seeded numbers, matrices laid out in every way that a view allows, and exact comparison.
import { checked } from "@recurra/conformance";
import type { SyncBackend, View } from "@recurra/core";
import { random } from "@recurra/core/internal";
import { openCpu } from "../src/index.ts";

/** Numbers in ±1 that float32 holds, the same for the same seed. */
export function generator(seed: number): () => number {
  const draw = random(seed);
  return () => Math.fround(2 * draw() - 1);
}

export const cpu: SyncBackend = checked(openCpu());

export interface Layout {
  readonly offset?: number;
  /** Of the view; `width` and what `pad` adds if absent. */
  readonly rowStride?: number;
  readonly columnStride?: 0 | 1;
  readonly pad?: number;
  readonly slots?: number;
}

/** A matrix on the device and what it holds. */
export class Matrix {
  readonly view: View;
  readonly contents: Float32Array;

  constructor(
    readonly rows: number,
    readonly width: number,
    fill: () => number,
    { offset = 0, pad = 0, slots = 1, columnStride = 1, rowStride = width + pad }: Layout = {},
  ) {
    const stepStride = rows * rowStride + width + 3;
    const length = offset + slots * stepStride;
    this.contents = Float32Array.from({ length }, fill);
    const buffer = cpu.alloc(length);
    cpu.write(buffer, this.contents, 0);
    this.view = { buffer, offset, rowStride, columnStride, stepStride, slots };
  }

  index(row: number, column: number, step = 0): number {
    const { offset, rowStride, columnStride, stepStride, slots } = this.view;
    return offset + (step % slots) * stepStride + row * rowStride + column * columnStride;
  }

  at(row: number, column: number, step = 0): number {
    const value = this.contents[this.index(row, column, step)];
    if (value === undefined) throw new Error(`no element ${row}, ${column}`);
    return value;
  }

  /** What the buffer holds on the device now. */
  now(): Float32Array {
    const into = new Float32Array(this.contents.length);
    cpu.readSync(this.view.buffer, into, 0);
    return into;
  }

  /** What the buffer should hold once `value` was stored in every element of step `step`, and nothing else touched. */
  after(value: (row: number, column: number) => number, step = 0): Float32Array {
    const expected = this.contents.slice();
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.width; column++)
        expected[this.index(row, column, step)] = value(row, column);
    }
    return expected;
  }

  free(): void {
    cpu.free(this.view.buffer);
  }
}

/** The first difference, −0 and 0 being two and NaN one; undefined when there is none. */
export function difference(actual: Float32Array, expected: Float32Array): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values, expected ${expected.length}`;
  const at = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  return at < 0 ? undefined : `at ${at}: ${actual[at]}, expected ${expected[at]}`;
}

/** The error's code, or what came instead of an error. */
export function codeOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}
