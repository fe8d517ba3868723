/**
 * A backend with a guard: the same members, each of which looks at what it is given before the backend sees it. Core validates what
 * users give, so a backend need not check views, ranges and overlaps in its own code; that core, or whoever drives a backend by hand,
 * keeps to the contract is seen here. All laws run so. Buffers and programs are the backend's own.
 */
import { RecurraError, type ErrorCode } from "@recurra/core";
import type {
  Backend,
  DeviceBuffer,
  Kernel,
  PreparedKernel,
  PreparedProgram,
  View,
} from "@recurra/core/internal";
import { usesOf, type Use } from "./operands.ts";
import { overlap, same, type Area } from "./overlap.ts";
import { forward } from "./wrap.ts";

function fail(code: ErrorCode, message: string): never {
  throw new RecurraError(code, message);
}

const whole = (n: number): boolean => Number.isInteger(n) && n >= 0;

/** @returns a backend that validates everything, then asks `backend` */
export function checked<B extends Backend>(backend: B): B {
  const { name, inPlace } = backend;
  const known = new WeakSet<DeviceBuffer>();
  const alive = new Set<DeviceBuffer>();
  let disposed = false;

  function inUse(who: string): void {
    if (disposed) fail("DISPOSED", `${who}: the backend was disposed; open a new one`);
  }

  /** The buffer must be one of this backend's and alive. */
  function own(who: string, buffer: DeviceBuffer): void {
    inUse(who);
    if (!known.has(buffer))
      fail("INVALID_ARGUMENT", `${who}: expected a buffer of this backend, got another's; allocate it here`);
    if (!alive.has(buffer))
      fail("DISPOSED", `${who}: the buffer of ${buffer.length} values was freed; allocate a new one`);
  }

  function range(who: string, buffer: DeviceBuffer, offset: number, length: number): void {
    own(who, buffer);
    if (!whole(offset) || offset + length > buffer.length)
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected a range within ${buffer.length} values, got ${length} values from ${offset}`,
      );
  }

  /** What a kernel works on in one of its views. */
  function area(who: string, view: View, { rows, width }: Use): Area {
    const { buffer, offset, rowStride, columnStride, stepStride, slots } = view;
    own(who, buffer);
    const numbers = { rows, width, offset, rowStride, stepStride, slots };
    if (!Object.values(numbers).every(whole) || slots === 0 || (columnStride !== 0 && columnStride !== 1))
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected whole numbers from 0, slots from 1 and a columnStride of 0 or 1, got ${Object.entries(
          { ...numbers, columnStride },
        )
          .map(([key, value]) => `${key} ${value}`)
          .join(", ")}`,
      );
    // Rows that cover several steps go on into the slots after the first, so only the first slot's rows must all be there.
    const end =
      Math.max((slots - 1) * stepStride, (rows - 1) * rowStride) + offset + (width - 1) * columnStride + 1;
    if (rows > 0 && width > 0 && end > buffer.length)
      fail(
        "INVALID_ARGUMENT",
        `${who}: expected a view within ${buffer.length} values, got one that ends at ${end}`,
      );
    return { ...view, rows, width };
  }

  function checkViews(
    who: string,
    kernel: Kernel,
    rows: number,
    views: readonly View[],
    tableRows: number | undefined,
  ): void {
    const uses = usesOf(kernel, rows, tableRows);
    if (views.length !== uses.views)
      fail("INVALID_ARGUMENT", `${who}: expected ${uses.views} views, got ${views.length}`);
    const areas = (list: readonly Use[]): Area[] =>
      list.map((use) => area(`${who}, view ${use.view}`, views[use.view]!, use));
    const inputs = areas(uses.inputs);
    const outputs = areas(uses.outputs);
    outputs.forEach((out, o) => {
      if (out.columnStride !== 1 || (out.rows > 1 && out.rowStride < out.width))
        fail(
          "INVALID_ARGUMENT",
          `${who}: expected a columnStride of 1 and a rowStride from ${out.width} of output ${o}, got ${out.columnStride} and ${out.rowStride}`,
        );
      inputs.forEach((input, i) => {
        if (overlap(out, input) && !(kernel.op === "map" && inPlace && same(out, input)))
          fail(
            "INVALID_ARGUMENT",
            `${who}: expected output ${o} apart from the inputs, got one that lies over input ${i}`,
          );
      });
      outputs.slice(0, o).forEach((other, i) => {
        if (overlap(out, other))
          fail("INVALID_ARGUMENT", `${who}: expected outputs apart, got ${o} over ${i}`);
      });
    });
  }

  function checkKernel(kernel: Kernel, prepared: PreparedKernel): PreparedKernel {
    const who = `${name} ${kernel.op}`;
    return {
      bind(rows, views, tableRows) {
        inUse(who);
        checkViews(who, kernel, rows, views, tableRows);
        const bound = prepared.bind(rows, views, tableRows);
        return {
          run(step) {
            for (const { buffer } of views) own(`${who}, run`, buffer);
            if (!whole(step)) fail("INVALID_ARGUMENT", `${who}, run: expected a step from 0, got ${step}`);
            bound.run(step);
          },
        };
      },
    };
  }

  function checkProgram(prepared: PreparedProgram): PreparedProgram {
    const who = `${name} program`;
    return {
      bind(steps, batch, shared) {
        const buffers = [...shared.values()].flat();
        const check = (): void => buffers.forEach((buffer) => own(who, buffer));
        check();
        const bound = prepared.bind(steps, batch, shared);
        return {
          run(count, parity) {
            check();
            if (!whole(count) || count > steps)
              fail("INVALID_ARGUMENT", `${who}: expected up to ${steps} steps, got ${count}`);
            bound.run(count, parity);
          },
          dispose: () => bound.dispose(),
        };
      },
    };
  }

  // Each optional member where the backend has it, so that the result is just as synchronous as B is.
  return forward(backend, {
    alloc(length) {
      inUse(`${name} alloc`);
      if (!whole(length))
        fail("INVALID_ARGUMENT", `${name} alloc: expected a length, a whole number from 0, got ${length}`);
      const buffer = backend.alloc(length);
      known.add(buffer);
      alive.add(buffer);
      return buffer;
    },
    // Freeing twice, or after `dispose`, does nothing: owners may be disposed in any order.
    free(buffer) {
      if (!known.has(buffer))
        fail("INVALID_ARGUMENT", `${name} free: expected a buffer of this backend, got another's`);
      if (alive.delete(buffer)) backend.free(buffer);
    },
    write(buffer, data, offset) {
      range(`${name} write`, buffer, offset, data.length);
      backend.write(buffer, data, offset);
    },
    async read(buffer, into, offset) {
      range(`${name} read`, buffer, offset, into.length);
      await backend.read(buffer, into, offset);
    },
    ...(backend.readSync && {
      readSync(buffer: DeviceBuffer, into: Float32Array, offset: number) {
        range(`${name} readSync`, buffer, offset, into.length);
        backend.readSync!(buffer, into, offset);
      },
    }),
    prepare(kernel) {
      inUse(`${name} prepare`);
      return checkKernel(kernel, backend.prepare(kernel));
    },
    ...(backend.prepareProgram && {
      prepareProgram(program: Parameters<NonNullable<Backend["prepareProgram"]>>[0]) {
        inUse(`${name} prepareProgram`);
        const prepared = backend.prepareProgram!(program);
        return prepared && checkProgram(prepared);
      },
    }),
    dispose() {
      disposed = true;
      alive.clear();
      backend.dispose();
    },
  }) as B;
}
