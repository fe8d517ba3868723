// Headless GL: the package `gl`, which gpu.js asks for and which gives Node a WebGL context. It is C++ and takes minutes to compile, so
// that installing leaves it alone; `npm run gl` compiles it once, and says what is missing where that fails.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { onDisplay } from "./display.mjs";
import { cache, root } from "./environment.mjs";
import { withLock } from "./lock.mjs";
import { pnpm } from "./prepare.mjs";

/** What a process tries, and how far it came: "load", "context", "float", or "ready". */
const attempt = `
const say = (came, why = "") => console.log(JSON.stringify({ came, why }));
try {
  const context = require(process.argv[1])(1, 1);
  if (!context) say("context");
  else say(context.getExtension("OES_texture_float") ? "ready" : "float");
} catch (error) {
  say("load", error.message.split("\\n")[0]);
}
`;

/** @typedef {{ came: "load" | "display" | "context" | "float" | "ready", why: string }} Reached */

/**
 * Builds gl unless it is there and works. Writes to stderr, and one line to stdout.
 * @returns {Promise<number>} the exit code
 * @throws Error with what is missing
 */
export async function makeGl() {
  const before = await reach();
  const built = before.came === "load";
  if (built) {
    console.error(`recurra: compiling gl, which takes some minutes`);
    await withLock(join(cache, "gl"), compile, () => console.error("recurra: another command compiles gl"));
  }
  const { came, why } = built ? await reach() : before;
  if (came !== "ready") throw new Error(`gl: ${lacking[came]}${why && ` (${why})`}\n${whatItNeeds()}`);
  console.log(`gl is ${built ? "compiled" : "there"}, and gives a context`);
  return 0;
}

/** @type {Record<Exclude<Reached["came"], "ready">, string>} */
const lacking = {
  load: "it can't be loaded",
  display: "there is no X display, and no xvfb-run to make one",
  context: "it gives no context: there is no display that can be used, or no driver",
  float: "its textures can't hold float32 numbers",
};

async function compile() {
  // Whoever held the lock before may have compiled it.
  if ((await reach()).came !== "load") return;
  try {
    // Given once, pnpm 10 takes the option for a list of the letters g and l, and does nothing, successfully.
    const allow = "--config.only-built-dependencies=gl";
    await pnpm("gl", ["-r", allow, allow, "rebuild", "gl"], { JOBS: "max" });
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}\n${whatItNeeds()}`, { cause: error });
  }
}

function whatItNeeds() {
  const packages = readFileSync(join(root, "scripts", "gl-packages.txt"), "utf8")
    .split("\n")
    .join(" ");
  return `On Debian it needs: apt-get install ${packages.trim()}`;
}

/** @returns {Promise<Reached>} */
function reach() {
  const [program = "", ...args] = onDisplay([process.execPath, "-e", attempt, whereGlIs()]);
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout) => {
      try {
        resolve(JSON.parse(stdout));
      } catch {
        const noProgram = /** @type {NodeJS.ErrnoException | null} */ (error)?.code === "ENOENT";
        resolve({ came: noProgram ? "display" : "context", why: noProgram ? "" : (error?.message ?? "") });
      }
    });
  });
}

/** gl is gpu.js's own dependency, so it's found from there. */
function whereGlIs() {
  const backend = createRequire(join(root, "packages", "backend-gpujs", "package.json"));
  return createRequire(backend.resolve("gpu.js")).resolve("gl");
}
