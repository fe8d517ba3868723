// The format of MNIST's files (LeCun, Cortes & Burges 1998): two zeros, the type of the values, the number of dimensions, the
// sizes in big-endian, the values.

/** Bytes by their shape. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTES = 8;

/** @throws Error where it isn't a whole file of bytes */
export function parseIdx(file: Uint8Array, who: string): Idx {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const dimensions = file[3] ?? 0;
  const start = 4 + 4 * dimensions;
  if (file.length < start || view.getUint16(0) !== 0 || file[2] !== UNSIGNED_BYTES || dimensions === 0)
    throw new Error(`${who}: expected an idx file of bytes`);
  const shape = Array.from({ length: dimensions }, (_, k) => view.getUint32(4 + 4 * k));
  const size = shape.reduce((product, length) => product * length, 1);
  if (file.length !== start + size)
    throw new Error(
      `${who}: expected ${size} values for its shape [${shape.join(", ")}], got ${file.length - start}`,
    );
  return { shape, data: file.subarray(start) };
}
