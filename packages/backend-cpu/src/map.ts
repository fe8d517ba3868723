/**
 * `map` as an interpreter of blocks: one loop an instruction over a few hundred elements, so that what passes from one instruction
 * to the next stays in the first cache. A result that is an output is written in its place at once.
 */
import type { Argument, BoundKernel, FunctionName, MapKernel, PreparedKernel, View } from "@recurra/core";
import { fail } from "./errors.ts";
import type { Memory } from "./memory.ts";
import { Cursor, Operand, output, overlap, refuseOverlaps } from "./operand.ts";
import { pointwise } from "./pointwise.ts";

/** Elements of a block: 2 kB a register. */
const BLOCK = 512;

/** What passes between instructions. All maps share them: none lives longer than a block. */
const registers: Float32Array[] = [];

/** A use of `pointwise`; arguments that the function doesn't have repeat the first. */
class Instruction {
  constructor(
    readonly fn: FunctionName,
    readonly out: Cursor,
    readonly a: Cursor,
    readonly b: Cursor,
    readonly c: Cursor,
  ) {}
}

export function prepareMap(memory: Memory, kernel: MapKernel): PreparedKernel {
  return {
    bind(rows, views) {
      const who = "cpu map";
      const count = kernel.inputs + kernel.outputs.length;
      if (views.length !== count)
        fail("INVALID_ARGUMENT", `${who}: expected ${count} views, got ${views.length}`);
      const bindInput = (view: View): Operand => new Operand(memory, who, view, rows, kernel.width);
      const bindOutput = (view: View): Operand => output(memory, who, view, rows, kernel.width);
      const inputs = views.slice(0, kernel.inputs).map(bindInput);
      const outputs = views.slice(kernel.inputs).map(bindOutput);
      refuseOverlaps(who, inputs, outputs, true);
      return new BoundMap(kernel, rows, inputs, outputs);
    },
  };
}

class BoundMap implements BoundKernel {
  private readonly operands: readonly Operand[];
  private readonly instructions: readonly Instruction[];
  private readonly rows: number;
  private readonly width: number;
  /** Rows and columns of a block. */
  private readonly height: number;
  private readonly columns: number;

  constructor(
    kernel: MapKernel,
    rows: number,
    inputs: readonly Operand[],
    private readonly outputs: readonly Operand[],
  ) {
    this.operands = [...inputs, ...outputs];
    const flat = this.operands.every((operand) => operand.flat);
    this.rows = flat ? Math.min(rows, 1) : rows;
    this.width = flat ? rows * kernel.width : kernel.width;
    this.columns = Math.min(this.width, BLOCK);
    this.height = Math.max(1, Math.floor(BLOCK / Math.max(1, this.width)));
    this.instructions = assign(kernel, inputs, outputs, this.columns);
  }

  run(step: number): void {
    const { operands, outputs, rows, width, height, columns } = this;
    for (let i = 0; i < operands.length; i++) operands[i]!.locate(step);
    for (let i = 0; i < outputs.length; i++) outputs[i]!.buffer.change();
    for (let row = 0; row < rows; row += height) {
      for (let column = 0; column < width; column += columns) {
        if (row + column > 0) this.move(row, column);
        this.block(Math.min(height, rows - row), Math.min(columns, width - column));
      }
    }
  }

  private move(row: number, column: number): void {
    const { operands } = this;
    for (let i = 0; i < operands.length; i++) operands[i]!.move(row, column);
  }

  private block(rows: number, columns: number): void {
    const { instructions } = this;
    for (let i = 0; i < instructions.length; i++) {
      const { fn, out, a, b, c } = instructions[i]!;
      pointwise(fn, out, a, b, c, rows, columns);
    }
  }
}

/** Say where every instruction reads and writes. */
function assign(
  kernel: MapKernel,
  inputs: readonly Operand[],
  outputs: readonly Operand[],
  width: number,
): Instruction[] {
  const { instructions } = kernel;
  const uses = instructions.map(({ args }) => args);
  const lastUse = (find: (arg: Argument) => boolean): number => uses.findLastIndex((args) => args.some(find));

  // An output in the place of an input that a later instruction still reads has to wait for its turn.
  const waits = (out: Operand, index: number): boolean =>
    inputs.some(
      (input, i) => overlap(input, out) && lastUse((arg) => "input" in arg && arg.input === i) > index,
    );

  const results: Cursor[] = [];
  const free: Cursor[] = [];
  let used = 0;
  const another = (): Cursor => new Cursor((registers[used++] ??= new Float32Array(BLOCK)), 0, width, 1);

  const list = instructions.map(({ fn, args }, index) => {
    const cursor = (arg: Argument): Cursor => {
      if ("input" in arg) return inputs[arg.input]!;
      if ("result" in arg) return results[arg.result]!;
      return new Cursor(Float32Array.of(arg.constant), 0, 0, 0);
    };
    const a = cursor(args[0]!);
    const b = args[1] ? cursor(args[1]) : a;
    const c = args[2] ? cursor(args[2]) : a;
    // A register that is read here for the last time may be written here: element by element, reading comes first.
    results.forEach((result, i) => {
      const last = lastUse((arg) => "result" in arg && arg.result === i);
      if (last === index && !kernel.outputs.includes(i)) free.push(result);
    });
    const place = outputs.find((out, o) => kernel.outputs[o] === index && !waits(out, index));
    const out = place ?? free.pop() ?? another();
    results.push(out);
    return new Instruction(fn, out, a, b, c);
  });

  outputs.forEach((out, o) => {
    const result = results[kernel.outputs[o]!]!;
    if (result !== out) list.push(new Instruction("copy", out, result, result, result));
  });
  return list;
}
