/** The numbers of a gemm: where each lies in its launch. */
import { NUMBERS } from "./words.ts";

export const WIDTH = NUMBERS + 0;
export const ROOM = NUMBERS + 4; // columns that its rows have room for: a tile may write there
export const DEPTH = NUMBERS + 8; // 0: as many as there are rows
export const ROWS = NUMBERS + 12; // of the result; 0: as many as there are rows
export const PACKED = NUMBERS + 16; // the right operand's panels; 0: pack it here
export const ABREAST = NUMBERS + 20; // whether they lie as a tile of one row reads them, a k after another: all rows are run one by one
export const STRIPE = NUMBERS + 24; // how far the sum runs before the next block: what is packed must fit
export const LEFT = NUMBERS + 28; // scratch for the packed left operand
export const RIGHT = NUMBERS + 32; // scratch for the packed right operand
export const EDGE = NUMBERS + 36; // scratch for a tile that hangs over the last column
export const FROM = NUMBERS + 40; // whether there is an addend

export const GEMM_NUMBERS = 11;
