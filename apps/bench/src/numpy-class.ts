// Reads a fixture of the numpy class (fixtures/seed.py) and says in Recurra's names what it holds. Nothing here needs Node.
import type { Tensor } from "@recurra/core";

/** An array as make_fixtures.py writes it: little-endian, base64. */
export interface EncodedArray {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: string;
}

export interface Fixture {
  readonly about: string;
  readonly parameters: Readonly<Record<string, EncodedArray>>;
  readonly x: EncodedArray;
  readonly y: EncodedArray;
  readonly gates: Readonly<Record<string, EncodedArray>>;
}

/** The class's name of a gate's parameters, and Recurra's. */
const PARAMETERS = { f: "f", i: "i", c: "g", o: "o" } as const;

/** The class's name of what it keeps at every step, and Recurra's in a trace. */
const TRACE = { f: "f", i: "i", c_bar: "g", c: "c", o: "o", h: "h" } as const;

export interface NumpyNetwork {
  /** "0.W.i" [H, I], "0.U.i" [H, H], "0.b.i" [H], …, "1.W" [O, H], "1.b" [O]. */
  readonly parameters: Record<string, Tensor>;
  /** [T, 1, I]. */
  readonly x: Tensor;
  /** "output" [T, 1, O] and each gate, "0.f" [T, 1, H] …: numpy's results in float64. */
  readonly expected: Record<string, Float64Array>;
}

/** W[H + I, H] multiplies [h, x] from the right, so its first H rows are U transposed, the others W transposed. */
export function fromNumpyClass(fixture: Fixture): NumpyNetwork {
  const read = (name: string) => decode32(entry(fixture.parameters, name));
  const [T, I] = matrixShape("x", fixture.x);
  const parameters: Record<string, Tensor> = {};
  for (const [theirs, ours] of Object.entries(PARAMETERS)) {
    const name = `W${theirs}`;
    const [rows, H] = matrixShape(name, entry(fixture.parameters, name));
    if (rows !== H + I)
      throw new Error(`${name}: expected [${H + I}, ${H}] for an input of ${I}, got [${rows}, ${H}]`);
    const both = read(name);
    parameters[`0.U.${ours}`] = transposed(both.subarray(0, H * H), H, H);
    parameters[`0.W.${ours}`] = transposed(both.subarray(H * H), I, H);
    parameters[`0.b.${ours}`] = { shape: [H], data: read(`b${theirs}`) };
  }
  const [H, O] = matrixShape("Wy", entry(fixture.parameters, "Wy"));
  parameters["1.W"] = transposed(read("Wy"), H, O);
  parameters["1.b"] = { shape: [O], data: read("by") };

  const expected: Record<string, Float64Array> = { output: decode64(fixture.y) };
  for (const [theirs, ours] of Object.entries(TRACE)) {
    expected[`0.${ours}`] = decode64(entry(fixture.gates, theirs));
  }
  return { parameters, x: { shape: [T, 1, I], data: decode32(fixture.x) }, expected };
}

/** The transpose of a [rows, columns] matrix. */
function transposed(data: Float32Array, rows: number, columns: number): Tensor {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = data[row * columns + column]!;
    }
  }
  return { shape: [columns, rows], data: result };
}

function entry(arrays: Readonly<Record<string, EncodedArray>>, name: string): EncodedArray {
  const array = arrays[name];
  if (!array) throw new Error(`fixture: no array ${name}; it has ${Object.keys(arrays).join(", ")}`);
  return array;
}

function matrixShape(name: string, { shape }: EncodedArray): [number, number] {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) {
    throw new Error(`fixture: expected ${name} to be a matrix, got [${shape.join(", ")}]`);
  }
  return [rows, columns];
}

function decode32(array: EncodedArray): Float32Array {
  return new Float32Array(decode(array, "float32", Float32Array.BYTES_PER_ELEMENT));
}

function decode64(array: EncodedArray): Float64Array {
  return new Float64Array(decode(array, "float64", Float64Array.BYTES_PER_ELEMENT));
}

/** The bytes of an array; every platform that runs JavaScript today is little-endian, as they are. */
function decode({ shape, dtype, data }: EncodedArray, wanted: string, size: number): ArrayBuffer {
  const { buffer } = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const length = shape.reduce((a, b) => a * b, 1);
  if (dtype !== wanted || buffer.byteLength !== length * size) {
    throw new Error(
      `fixture: expected ${length} values of ${wanted}, got ${buffer.byteLength} bytes of ${dtype}`,
    );
  }
  return buffer;
}
