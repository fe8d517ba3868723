import { expect, test, vi } from "vitest";
import { oneOf, readWords, runCommand, UsageError } from "../command.mjs";

const parse = (word: string) => () => oneOf("--size", word, ["small", "large"]);

test("what is known is handed on, and its exit code is the command's", async () => {
  expect(await runCommand(parse("large"), async (size) => size.length)).toBe(5);
});

test("words that don't exist are answered with what there is, and exit code 2", async () => {
  const complain = vi.spyOn(console, "error").mockReturnValue();
  const main = vi.fn<() => Promise<number>>();
  expect(await runCommand(parse("huge"), main)).toBe(2);
  expect(complain).toHaveBeenCalledWith('--size: there is no "huge"; there is small, large');
  expect(main).not.toHaveBeenCalled();
  expect(() => oneOf("--size", "huge", [], " of cpu")).toThrow('no "huge" of cpu; there is none');
});

test("flags that don't exist are answered with the usage", () => {
  const read = () => readWords({ args: ["--huge"], options: {} }, "command [--small]");
  expect(read).toThrow(UsageError);
  expect(read).toThrow(/^Unknown option '--huge'.*\ncommand \[--small\]$/s);
});

test("other errors are no one's words", async () => {
  const broken = (): number => {
    throw new TypeError("broken");
  };
  await expect(runCommand(broken, async () => 0)).rejects.toThrow(TypeError);
});
