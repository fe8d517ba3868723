/** SIMD: instructions on four numbers of 32 bits, unless said otherwise; and the relaxed multiply-and-add. */
import { bytesOf, loading, simd, storing, type Code, type Value } from "../assembler.ts";

export const load = loading(0xfd, 0);
/** One number from memory, in all four lanes. */
export const splatAt = loading(0xfd, 9);
export const store = storing(0xfd, 11);
const storeLane32 = storing(0xfd, 90);
/** Store lane `lane` of four. */
export const storeLane = (address: Value, value: Value, lane: number): readonly Code[] => [
  storeLane32(address, value, 4 * lane),
  lane,
];
const storeLane64 = storing(0xfd, 91);
/** Store the low 64 bits. */
export const storeHalf = (address: Value, value: Value): readonly Code[] => [storeLane64(address, value), 0];

/** 32 bits in each lane. */
export const lanes = (...bits: readonly [number, number, number, number]): readonly Code[] => [
  0xfd,
  12,
  bytesOf(Int32Array.from(bits)),
];
/** The same 32 bits in all four lanes. */
export const bits = (n: number): readonly Code[] => lanes(n, n, n, n);
/** The same number in all four lanes. */
export const constant = (n: number): readonly Code[] => [0xfd, 12, bytesOf(new Float32Array(4).fill(n))];

const chosen = simd(13);
/** Bytes of the two vectors side by side, by number. */
export const pick = (a: Value, b: Value, ...bytes: readonly number[]): readonly Code[] => [
  chosen(a, b),
  bytes,
];
/** Lanes of the two vectors side by side, by number. */
export const shuffle = (a: Value, b: Value, ...of: readonly number[]): readonly Code[] => [
  chosen(a, b),
  of.map((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
];

export const equal = simd(65);
export const notEqual = simd(66);
export const less = simd(67);
export const lessEqual = simd(69);
export const and = simd(78);
export const or = simd(80);
/** Bits of a where the third has 1, else of b. */
export const bitSelect = simd(82);
export const nearest = simd(106);
export const abs = simd(224);
export const neg = simd(225);
export const sqrt = simd(227);
export const add = simd(228);
export const sub = simd(229);
export const mul = simd(230);
export const over = simd(231);
export const min = simd(232);
export const max = simd(233);
/** b < a ? b : a, and a < b ? b : a: a NaN in a comes through. */
export const pmin = simd(234);
export const pmax = simd(235);
export const addI32 = simd(174);
export const subI32 = simd(177);
export const shiftLeftI32 = simd(171);
/** With the sign. */
export const shiftRightI32 = simd(172);
export const shiftRightI16 = simd(140);
export const maxI32 = simd(184);
/** Saturating. */
export const toI32 = simd(248);
export const fromI32 = simd(250);
/** Products of 16-bit numbers, the two of each 32-bit lane added up. */
export const dotI16 = simd(186);
/** Products of signed bytes and bytes below 128, the four of each lane added to the third. */
export const relaxedDotAdd = simd(275);
const relaxedMadd = simd(261);

export type Madd = (a: Value, b: Value, c: Value) => readonly Code[];
/** a · b + c: rounded twice, or once where the engine has relaxed SIMD. */
export const madd = (relaxed: boolean): Madd => (relaxed ? relaxedMadd : (a, b, c) => add(mul(a, b), c));
