/**
 * What a relaxed dot product is here. It leaves open how bytes above 127 count, and by that shows the instruction behind it: x86
 * without VNNI multiplies and adds in pairs of 16 bits, which saturate, and takes three instructions for what VNNI, and Arm, do in
 * one. Two such products are then slower than one of 16-bit numbers. https://github.com/WebAssembly/relaxed-simd
 */
import { Assembler } from "./assembler.ts";
import * as v from "./instructions/v128.ts";
import type { Platform } from "./webassembly.ts";

/** Four times the largest signed byte by the largest byte without a sign, the sums of two cut off at 2¹⁵ − 1. */
const SATURATED = 2 * (2 ** 15 - 1);

/** Whether it takes several instructions here. */
export function dotSaturates({ Memory, Module, Instance }: NonNullable<Platform["WebAssembly"]>): boolean {
  const memory = new Memory({ initial: 1, maximum: 1 });
  const instance = new Instance(new Module(dotModule()), { m: { m: memory } });
  const words = new Int32Array(memory.buffer);
  words[0] = 0x7f7f7f7f;
  words[4] = -1;
  (instance.exports as { dot(at: number): void }).dot(0);
  return words[8] === SATURATED;
}

/** 16 signed bytes at an address by 16 behind them; the sums go behind those. */
function dotModule(): Uint8Array {
  const assembler = new Assembler();
  assembler.export(
    "dot",
    assembler.routine(1, ([at]) =>
      v.store(at, v.relaxedDotAdd(v.load(at), v.load(at, 16), v.constant(0)), 32),
    ),
  );
  return assembler.bytes();
}
