/** What a kernel asks of its views: how many there are, and how many rows and columns it works on in each. */
import type { Kernel } from "@recurra/core/internal";

/** A use of the view at `view`: [rows, width]. */
export interface Use {
  readonly view: number;
  readonly rows: number;
  readonly width: number;
}

export interface Uses {
  readonly inputs: readonly Use[];
  readonly outputs: readonly Use[];
  /** How many views there are. */
  readonly views: number;
}

/** @param tableRows as it is given to `bind` */
export function usesOf(kernel: Kernel, rows: number, tableRows = NaN): Uses {
  switch (kernel.op) {
    case "map": {
      const use = (view: number): Use => ({ view, rows, width: kernel.width });
      const inputs = Array.from({ length: kernel.inputs }, (_, i) => use(i));
      const outputs = kernel.outputs.map((_, o) => use(kernel.inputs + o));
      return { inputs, outputs, views: inputs.length + outputs.length };
    }
    case "gemm": {
      const height = kernel.rows === "rows" ? rows : kernel.rows;
      const { width, terms } = kernel;
      const inputs = kernel.addend ? [{ view: 0, rows: height, width }] : [];
      for (const { a, b, transposeA, transposeB, depth: declared } of terms) {
        const depth = declared === "rows" ? rows : declared;
        inputs.push(
          transposeA ? { view: a, rows: depth, width: height } : { view: a, rows: height, width: depth },
          transposeB ? { view: b, rows: width, width: depth } : { view: b, rows: depth, width },
        );
      }
      const view = Math.max(-1, ...inputs.map((use) => use.view)) + 1;
      return { inputs, outputs: [{ view, rows: height, width }], views: view + 1 };
    }
    case "reduce":
      return {
        inputs: [{ view: 0, rows, width: kernel.width }],
        outputs: [{ view: 1, rows, width: 1 }],
        views: 2,
      };
    case "gather":
      return {
        inputs: [
          { view: 0, rows: tableRows, width: kernel.width },
          { view: 1, rows, width: 1 },
        ],
        outputs: [{ view: 2, rows, width: kernel.width }],
        views: 3,
      };
    case "scatterAdd":
      return {
        inputs: [
          { view: 0, rows, width: 1 },
          { view: 1, rows, width: kernel.width },
        ],
        outputs: [
          {
            view: 2,
            rows: kernel.tableRows === "steps" ? tableRows : kernel.tableRows,
            width: kernel.width,
          },
        ],
        views: 3,
      };
  }
}
