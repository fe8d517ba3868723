/** The numbers of a gemm, in the order in which they are written down. */
export type GemmNumbers<T> = readonly [
  width: T,
  room: T, // columns that its rows have room for: a tile may write there
  depth: T, // 0: as many as there are rows
  height: T, // rows of the result; 0: as many as there are rows
  packed: T, // the right operand's panels; 0: pack it here
  abreast: T, // how they lie (matrix.ts); not 0: all rows are run one by one
  stripe: T, // how far the sum runs before the next block: what is packed must fit
  left: T, // scratch for the packed left operand
  right: T, // scratch for the packed right operand
  edge: T, // scratch for a tile that hangs over the last column
  added: T, // whether there is an addend
  nextUnit: T, // from where the columns begin to where those of the next unit do; 0: there is no other
  unitsEnd: T, // no unit begins from here on
];

export const GEMM_NUMBERS = 13;
