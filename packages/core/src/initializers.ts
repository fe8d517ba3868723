/** How parameters begin when no weights are given. Each takes the seeded generator and the shape [rows, columns]. */

/** A uniform number in [0, 1). */
export type Random = () => number;

/** @returns rows · columns values, row-major */
export type Initializer = (random: Random, rows: number, columns: number) => Float32Array;

/**
 * Uniform in ±bound. PyTorch's recurrent layers use bound = 1/√H for every weight. A loop of its own: what calls a function for each
 * value is compiled later, and a first model has a hundred thousand.
 */
export const uniform =
  (bound: number): Initializer =>
  (random, rows, columns) => {
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * random() - 1);
    return values;
  };

export const constant =
  (value: number): Initializer =>
  (_, rows, columns) =>
    new Float32Array(rows * columns).fill(value);

/** A standard normal number, by Box & Muller 1958. */
const gaussian = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export const normal =
  (deviation: number): Initializer =>
  (random, rows, columns) =>
    Float32Array.from({ length: rows * columns }, () => deviation * gaussian(random));

/** Uniform in ±√(6 / (rows + columns)). Glorot & Bengio 2010. */
export const glorot = (): Initializer => (random, rows, columns) =>
  uniform(Math.sqrt(6 / (rows + columns)))(random, rows, columns);

/** Rows (or columns, where there are more rows) that are orthonormal, by Gram-Schmidt on a normal matrix. Saxe et al. 2014. */
export const orthogonal =
  (gain = 1): Initializer =>
  (random, rows, columns) => {
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
    const basis: Float64Array[] = [];
    while (basis.length < count) {
      const v = Float64Array.from({ length }, () => gaussian(random));
      // Twice is enough to be orthogonal to machine precision (Giraud et al. 2005).
      for (let pass = 0; pass < 2; pass++)
        for (const q of basis) {
          const along = v.reduce((sum, value, i) => sum + value * (q[i] as number), 0);
          v.forEach((value, i) => (v[i] = value - along * (q[i] as number)));
        }
      const norm = Math.sqrt(v.reduce((sum, value) => sum + value * value, 0));
      if (norm > 1e-6) basis.push(v.map((value) => value / norm));
    }
    return Float32Array.from({ length: rows * columns }, (_, i) => {
      const [r, c] = [Math.floor(i / columns), i % columns];
      return gain * ((rows <= columns ? basis[r]?.[c] : basis[c]?.[r]) ?? 0);
    });
  };
