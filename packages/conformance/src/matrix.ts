/** Matrices on a device, laid out in every way that a view allows, with garbage around them that nobody may read or write. */
import type { Backend, DeviceBuffer, View } from "@recurra/core/internal";
import type { Draw } from "./draw.ts";
import type { Tally } from "./law.ts";

/** Which strides are 0: none, one row for all, one column for all, one element for all. */
export type Repeat = "none" | "row" | "column" | "scalar";

export interface Layout {
  readonly rows: number;
  readonly width: number;
  readonly repeat?: Repeat;
  /** A history of several steps. Default: drawn, 1 to 3. */
  readonly slots?: number;
  /** Its rows are those of this many steps, one after another. */
  readonly span?: number;
}

export class DeviceMatrix {
  readonly buffer: DeviceBuffer;
  readonly view: View;
  /** What lies there: rows and columns as stored (1 where repeated). */
  readonly rows: number;
  readonly width: number;
  readonly host: Float32Array;

  constructor(
    readonly backend: Backend,
    draw: Draw,
    readonly layout: Layout,
  ) {
    const { rows, width, repeat = "none", slots = draw.whole(1, 3), span = 1 } = layout;
    this.rows = repeat === "row" || repeat === "scalar" ? 1 : rows;
    this.width = repeat === "column" || repeat === "scalar" ? 1 : width;
    const rowStride = this.rows === 1 && rows !== 1 ? 0 : this.width + draw.pick([0, 0, 1, 5]);
    const offset = draw.pick([0, 0, 1, 3, 17]);
    // Steps that a view spans follow each other without a gap.
    const size =
      Math.max(1, (this.rows / span) * rowStride, this.width) + (span > 1 ? 0 : draw.pick([0, 0, 2]));
    const stepStride = slots === 1 && draw.chance(0.5) ? 0 : size;
    this.view = {
      offset,
      rowStride,
      columnStride: repeat === "column" || repeat === "scalar" ? 0 : 1,
      stepStride,
      slots,
      buffer: (this.buffer = backend.alloc(offset + slots * size + draw.pick([0, 3]))),
    };
    // Reading it would show, and so would writing it.
    const garbage = backend.accuracy.nan ? NaN : 1e30;
    this.host = new Float32Array(this.buffer.length).fill(garbage);
  }

  #at(step: number, r: number, j: number): number {
    const { offset, rowStride, stepStride, slots } = this.view;
    return offset + (step % slots) * stepStride + r * rowStride + j;
  }

  /** Give every slot its values. */
  fill(values: (step: number, r: number, j: number) => number): this {
    for (let step = 0; step < this.view.slots; step++)
      for (let r = 0; r < this.rows / (this.layout.span ?? 1); r++)
        for (let j = 0; j < this.width; j++) this.host[this.#at(step, r, j)] = values(step, r, j);
    this.backend.write(this.buffer, this.host, 0);
    return this;
  }

  /** The values that a kernel finds at this step, as stored: [rows, width], row-major. */
  values(step: number): Float32Array {
    return Float32Array.from({ length: this.rows * this.width }, (_, i) => {
      return this.host[this.#at(step, Math.floor(i / this.width), i % this.width)]!;
    });
  }

  /** Read all of it; only this step's elements may have changed. */
  async result(step: number, tally: Tally, name: string): Promise<Float32Array> {
    const got = new Float32Array(this.buffer.length);
    await this.backend.read(this.buffer, got, 0);
    const before = this.host.slice();
    for (let r = 0; r < this.rows; r++)
      for (let j = 0; j < this.width; j++)
        this.host[this.#at(step, r, j)] = before[this.#at(step, r, j)] = got[this.#at(step, r, j)]!;
    tally.untouched(
      got,
      before,
      (i) => `${name} touched element ${i} of its buffer, outside its view at step ${step}`,
    );
    return this.values(step);
  }

  /** Read all of it; nothing may have changed. */
  async unchanged(tally: Tally, name: string): Promise<void> {
    const got = new Float32Array(this.buffer.length);
    await this.backend.read(this.buffer, got, 0);
    tally.untouched(got, this.host, (i) => `element ${i} of ${name}, which was only to be read`);
  }

  free(): void {
    this.backend.free(this.buffer);
  }
}
