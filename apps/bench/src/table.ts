// The table for people.
import { markdownTable } from "markdown-table";
import type { Row } from "./benchmark.ts";
import { PEER_TOLERANCE } from "./check.ts";

const HEADER = ["workload", "T, B, I, H", "system", "ms", "min", "max", "GFLOP/s", "time", "error", "bound"];

/** Markdown, so that it can be pasted. `time` is relative to the first system of the same workload. */
export function table(rows: readonly Row[]): string {
  const firsts = new Map<string, Row>();
  for (const row of rows) if (!firsts.has(row.workload)) firsts.set(row.workload, row);
  const body = rows.map((row) => {
    const first = firsts.get(row.workload)!;
    return [
      row === first ? row.workload : "",
      row === first ? [row.T, row.B, row.I, row.H].join(", ") : "",
      row.system,
      row.ms === null ? "wrong" : digits(row.ms),
      digits(row.min),
      digits(row.max),
      digits(row.gflops),
      row.ms === null || first.ms === null ? "" : `${digits(row.ms / first.ms)}×`,
      // Its results were right, or it would be wrong; without an error it computes something else.
      row.error === null ? (row.ms === null ? "" : "different") : row.error.toExponential(1),
      row.bound === null ? "" : row.bound.toExponential(row.bound === PEER_TOLERANCE ? 0 : 1),
    ];
  });
  return markdownTable([HEADER, ...body], { align: ["l", "l", "l", ...Array<string>(7).fill("r")] });
}

/** Three significant digits, and no exponent. */
function digits(value: number | null): string {
  if (value === null) return "";
  return value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}
