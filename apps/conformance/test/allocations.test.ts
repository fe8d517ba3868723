// A stream's step allocates nothing: the collector doesn't run once in 200,000 of them.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { Collections } from "../src/allocations.ts";

/** The backends that promise it. */
const backends = ["cpu", "wasm"];

/**
 * Always in full, not only in a soak, since a hundredth would show nothing: 2,000 steps that return a new array each leave less
 * than 1 MB, and the collector runs when 1 MB is full. The network of all cells is slow and takes a tenth, in which one number a
 * cell and step on the heap is still seen.
 */
const full = 200_000;
const steps = { lstm: full, wired: full, cells: process.env.RECURRA_SOAK ? full : full / 10 };

const program = fileURLToPath(new URL("../dist/allocations.js", import.meta.url));

async function collections(
  backend: string,
  network: keyof typeof steps,
  way: "into" | "fresh",
): Promise<number> {
  const flags = ["--max-semi-space-size=1", "--expose-gc"];
  const words = [backend, network, way, String(steps[network])];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, ...words]);
  return (JSON.parse(stdout) as Collections).collections;
}

describe.each(backends)("on %s", { timeout: 120_000 }, (backend) => {
  test.each(["lstm", "wired", "cells"] as const)(
    "a step of the network %s allocates nothing",
    async (network) => {
      expect(await collections(backend, network, "into")).toBe(0);
    },
  );

  test("a step that returns a new array is noticed", async () => {
    expect(await collections(backend, "lstm", "fresh")).toBeGreaterThan(10);
  });
});
