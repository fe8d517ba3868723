import { expect, it } from "vitest";
import * as recurra from "../src/index.ts";
import { cellsByName } from "../src/cells.ts";
import { answer } from "../src/command.ts";

it("names every shipped cell", () => {
  const shipped = Object.entries(recurra).filter(
    ([, value]) => typeof value === "object" && value !== null && "apply" in value && "gates" in value,
  );
  const names = Object.keys(cellsByName(8));
  for (const [name] of shipped) expect(names).toContain(name);
  expect(answer(["cells"])).toEqual({ text: names.join("\n"), code: 0 });
});

it.each(Object.keys(cellsByName(8)))("explains %s, forward and gradient", (name) => {
  const forward = answer(["explain", name, "--input", "3", "--hidden", "4"]);
  const gradient = answer([
    "explain",
    name,
    "--input",
    "3",
    "--hidden",
    "4",
    "--gradient",
    "--steps",
    "5",
    "--batch",
    "2",
  ]);
  expect([forward.code, gradient.code]).toEqual([0, 0]);
  expect(forward.text).toContain("gemm");
  expect(gradient.text.length).toBeGreaterThan(forward.text.length);
});

it.each([
  [[]],
  [["explain"]],
  [["explain", "lstn"]],
  [["explain", "lstm", "--hidden", "0"]],
  [["explain", "lstm", "--steps", "x"]],
  [["dance"]],
  [["explain", "lstm", "--nonsense"]],
])("%j is answered with what to do", (args) => {
  const { text, code } = answer(args);
  expect(code).toBe(2);
  expect(text).toMatch(/expected|recurra explain|Unknown option/);
});
