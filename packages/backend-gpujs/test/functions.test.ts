// The declared error of every function, measured. Where the figures are those that OpenGL ES asks of a GPU, a software GPU is better;
// the others mustn't be so loose that they say nothing.
import { test } from "vitest";
import { expectDeclared, measured } from "../../conformance/test/measure-functions.ts";
import { onGpu, opened } from "./support.ts";

/** Whose figures are the backend's own. */
const own: readonly string[] = ["exp", "tanh", "sigmoid", "softplus"];

onGpu("error", () => {
  test.each(measured)("%s", (fn) =>
    opened(({ backend }) => expectDeclared(backend, fn, own.includes(fn) ? 1 / 4 : 0)),
  );
});
