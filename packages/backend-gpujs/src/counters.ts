/** What a device has done so far, and what it holds. */
export interface Counters {
  launches: number;
  /** Copies from a result to where it belongs. */
  copies: number;
  uploads: number;
  uploadedBytes: number;
  downloads: number;
  downloadedBytes: number;
  /** Images alive, in textures or arrays, those of kernels' own results aside. */
  textures: number;
  /** Kernels compiled. */
  compiled: number;
}

/** Nothing done yet. */
export const noCounts = (): Counters => ({
  launches: 0, copies: 0, uploads: 0, uploadedBytes: 0, downloads: 0, downloadedBytes: 0, textures: 0, compiled: 0,
}); // prettier-ignore
