/** Kernels: printed when prepared, and bound to sizes and views as the arguments of a launch. */
import type { BoundKernel, GemmKernel, Kernel, PreparedKernel, View } from "@recurra/core";
import type { Device, Result } from "./device.ts";
import type { Program } from "./kernels.ts";
import { lists } from "./lists.ts";
import type { Memory } from "./memory.ts";
import { at, type Operand } from "./operand.ts";
import { gemmSource, sourceOf } from "./source.ts";

const transposed = (o: Operand): Operand => ({
  ...o,
  rowStride: o.columnStride,
  columnStride: o.rowStride,
});

/** One launch. */
interface Launch {
  readonly program: Program;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  readonly rows: number;
  readonly width: number;
  readonly lengths: readonly number[];
  readonly constants: readonly number[];
}

export function prepareKernel(device: Device, memory: Memory, kernel: Kernel): PreparedKernel {
  device.inUse();
  if (kernel.op === "gemm") return prepareGemm(device, memory, kernel);
  const listed = device.readsNow;
  const source = sourceOf(kernel, device.float32, listed);
  const program = device.kernels.program(source);
  return {
    bind(rows, views, tableRows = 0) {
      const operands = operandsOf(memory, views);
      const outputs = operands.slice(kernel.op === "map" ? kernel.inputs : -1);
      settle(memory, outputs);
      const { constants } = source;
      const launch = (inputs: readonly Operand[], height: number, width: number, ...lengths: number[]) =>
        running(device, memory, { program, inputs, outputs, rows: height, width, lengths, constants });
      switch (kernel.op) {
        case "map":
          return launch(operands.slice(0, kernel.inputs), rows, kernel.width);
        case "reduce":
          return launch(operands.slice(0, 1), rows, 1, kernel.width);
        case "gather":
          return launch(operands.slice(0, 2), rows, kernel.width, tableRows);
        case "scatterAdd": {
          const height = kernel.tableRows === "steps" ? tableRows : kernel.tableRows;
          const [index, values, table] = operands as [Operand, Operand, Operand];
          if (!listed) return launch([index, values], height, kernel.width, rows);
          return lists(memory, table.buffer, index, rows, height, (starts, order) =>
            launch([starts, order, values], height, kernel.width),
          );
        }
      }
    },
  };
}

/** A sum of more products than a kernel has inputs for goes on in another launch, from what the one before has left: the same sum. */
function prepareGemm(device: Device, memory: Memory, kernel: GemmKernel): PreparedKernel {
  const most = Math.floor((device.inputs - 1) / 2);
  const groups = Array.from({ length: Math.ceil(kernel.terms.length / most) }, (_, g) => {
    const terms = kernel.terms.slice(g * most, (g + 1) * most);
    return { terms, program: device.kernels.program(gemmSource({ addend: g > 0 || kernel.addend, terms })) };
  });
  return {
    bind(rows, views) {
      const operands = operandsOf(memory, views);
      const outputs = operands.slice(-1);
      settle(memory, outputs);
      const launches = groups.map(({ terms, program }, g) => {
        const inputs = g > 0 ? [...outputs] : kernel.addend ? operands.slice(0, 1) : [];
        for (const { a, b, transposeA, transposeB } of terms) {
          const [left, right] = [operands[a] as Operand, operands[b] as Operand];
          inputs.push(transposeA ? transposed(left) : left, transposeB ? right : transposed(right));
        }
        return running(device, memory, {
          program,
          inputs,
          outputs,
          rows: kernel.rows === "rows" ? rows : kernel.rows,
          width: kernel.width,
          lengths: terms.map(({ depth }) => (depth === "rows" ? rows : depth)),
          constants: [],
        });
      });
      const [only] = launches;
      return launches.length === 1 && only ? only : { run: (step) => launches.forEach((l) => l.run(step)) };
    },
  };
}

const operandsOf = (memory: Memory, views: readonly View[]): Operand[] =>
  views.map(({ buffer, ...view }) => ({ ...view, buffer: memory.own(buffer) }));

const settle = (memory: Memory, outputs: readonly Operand[]): void =>
  outputs.forEach(({ buffer, rowStride }) => memory.settle(buffer, rowStride));

/** Output dimensions for gpu.js: rows of a texture, at least two, since a single one comes folded into a square, a copy for each line of it; or folded rows, where there are too many. */
function outputOf(size: number, rows: number, width: number): readonly number[] {
  if (rows <= size && width <= size) return [width, Math.max(2, rows)];
  const folds = Math.max(2, Math.ceil(rows / size));
  return [width, Math.ceil(rows / folds), folds];
}

function running(device: Device, memory: Memory, launch: Launch): BoundKernel {
  const { program, inputs, outputs, rows, width, lengths, constants } = launch;
  if (rows === 0 || width === 0) return { run: () => undefined };
  const output = outputOf(device.size, rows, width);
  const args: unknown[] = [
    ...inputs.flatMap(({ rowStride, columnStride }) => [undefined, 0, rowStride, columnStride]),
    ...lengths,
    ...constants,
  ];
  return {
    run(step) {
      for (let i = 0; i < inputs.length; i++) {
        const input = inputs[i] as Operand;
        args[4 * i] = memory.source(input.buffer).argument;
        args[4 * i + 1] = at(input, step);
      }
      const results = device.launch(program, output, args);
      for (let o = 0; o < outputs.length; o++) {
        const out = outputs[o] as Operand;
        memory.store(out.buffer, results[o] as Result, rows, width, at(out, step), out.rowStride);
      }
    },
  };
}
