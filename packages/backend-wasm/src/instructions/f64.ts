/** Instructions on numbers of 64 bits. */
import { op } from "../assembler.ts";

export const add = op(0xa0);
export const max = op(0xa5);
export const over = op(0xa3);
/** Without a sign. */
export const fromI32 = op(0xb8);
export const narrow = op(0xb6);
