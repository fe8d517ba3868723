/** Instructions on numbers of 32 bits. */
import { bytesOf, loading, op, storing, type Code } from "../assembler.ts";

export const load = loading(0x2a);
export const store = storing(0x38);
export const constant = (n: number): readonly Code[] => [0x43, bytesOf(Float32Array.of(n))];
export const add = op(0x92);
/** Saturating. */
export const toI32 = op(0xfc, 0);
export const widen = op(0xbb);
