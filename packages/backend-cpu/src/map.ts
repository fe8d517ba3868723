/**
 * `map` as an interpreter of blocks: one loop an instruction over a few hundred elements, so that what passes from one instruction
 * to the next stays in the first cache. A result that is an output is written in its place at once.
 */
import type { MapKernel } from "@recurra/core";
import { constant, fixed, seek, type Operand } from "./operand.ts";
import { loops } from "./pointwise.ts";

/** Elements of a block: 2 kB a register. */
const BLOCK = 512;

/** What passes between instructions, the result of each in its own. All maps share them: none lives longer than a block. */
const registers: Float32Array[] = [];

export function map(kernel: MapKernel, operands: readonly Operand[], bound: number) {
  const { instructions, inputs: count } = kernel;
  const inputs = operands.slice(0, count);
  const outputs = operands.slice(count);

  // Where rows lie one behind the other, the whole is one long row.
  const flat = operands.every(({ rowStride, columnStride }) => rowStride === columnStride * kernel.width);
  const rows = flat ? 1 : bound;
  const width = flat ? bound * kernel.width : kernel.width;
  const blockWidth = Math.min(width, BLOCK);
  const blockRows = Math.max(1, Math.floor(BLOCK / width));

  // An output in the place of an input that a later instruction still reads has to wait for its turn.
  const waits = ({ buffer, offset }: Operand, index: number): boolean =>
    instructions
      .slice(index + 1)
      .flatMap(({ args }) => args)
      .some((arg) => {
        const input = "input" in arg && inputs[arg.input]!;
        return input && input.buffer === buffer && input.offset === offset;
      });

  const results: Operand[] = [];
  const steps = instructions.map(({ fn, args }, index) => {
    const [a, b, c] = args.map((arg) =>
      "input" in arg ? inputs[arg.input]! : "result" in arg ? results[arg.result]! : constant(arg.constant),
    );
    const out =
      outputs.find((place, o) => kernel.outputs[o] === index && !waits(place, index)) ??
      fixed((registers[index] ??= new Float32Array(BLOCK)), blockWidth, 1);
    results.push(out);
    return apply(fn, out, a!, b, c);
  });
  outputs.forEach((out, o) => {
    const result = results[kernel.outputs[o]!]!;
    if (result !== out) steps.push(apply("copy", out, result));
  });

  return (step: number): void => {
    for (let row = 0; row < rows; row += blockRows)
      for (let column = 0; column < width; column += blockWidth) {
        if (row + column > 0) seek(operands, step, row, column);
        for (let i = 0; i < steps.length; i++)
          steps[i]!(Math.min(blockRows, rows - row), Math.min(blockWidth, width - column));
      }
  };
}

/** An instruction over the rows of a block; arguments that the function doesn't have repeat the first. */
function apply(fn: keyof typeof loops, out: Operand, a: Operand, b = a, c = a) {
  const loop = loops[fn];
  return (rows: number, width: number): void => {
    for (let r = 0; r < rows; r++) {
      const o = (out.at + r * out.rowStride) | 0;
      const i = (a.at + r * a.rowStride) | 0;
      const j = (b.at + r * b.rowStride) | 0;
      const k = (c.at + r * c.rowStride) | 0;
      loop(
        out.data, o, o + width,
        a.data, i, a.columnStride,
        b.data, j, b.columnStride,
        c.data, k, c.columnStride,
      ); // prettier-ignore
    }
  };
}
