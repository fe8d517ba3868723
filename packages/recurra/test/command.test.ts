import { expect, it } from "vitest";
import { cellsByName } from "../src/cells.ts";
import { answer } from "../src/command.ts";

it("names every shipped cell", () => {
  const { text, code } = answer(["cells"]);
  expect(code).toBe(0);
  expect(text.split("\n")).toEqual(expect.arrayContaining(["lstm", "gru", "minGru", "lstmp", "slstm"]));
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
