/** Which of gpu.js's modes runs here. gpu.js would fall back to another, in the end to the CPU, without a word. */
import { fail, kindOf } from "./errors.ts";
import { GPU, here, modeOf, modes, type Gpu, type Mode } from "./gpujs.ts";

/** What is asked of Node, where this is Node. */
interface Platform {
  readonly process?: {
    readonly versions?: { readonly node?: string };
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly platform?: string;
    getBuiltinModule?(name: "module"): { createRequire(from: string): Require };
  };
}
interface Require {
  (name: string): unknown;
  resolve(name: string): string;
}

const { process } = globalThis as Platform;
const inNode = process?.versions?.node !== undefined;

const instead =
  "use openWasm() of @recurra/backend-wasm or openCpu() of @recurra/backend-cpu, which need no GPU";

/** Why there is no headless-gl, and what helps. */
function whyNotHeadless(): string {
  if (!inNode) return `headlessgl is for Node; open without a mode, and the best of this platform is taken`;
  try {
    const { createRequire } = process?.getBuiltinModule?.("module") ?? {};
    const near = createRequire?.(here);
    if (near) createRequire?.(near.resolve("gpu.js"))("gl");
  } catch (error) {
    const [said] = String(error).split("\n");
    return `the package gl isn't built (${said}). It wants Debian's make g++ python3 pkg-config libxi-dev libxext-dev libx11-dev libgl1-mesa-dev libgl1-mesa-dri, then \`npm install gl\` or \`npm rebuild gl\` (in this repository: \`npm run gl\`)`;
  }
  if (process?.platform === "linux" && !process.env?.["DISPLAY"])
    return "there is no X display (DISPLAY isn't set). Start the program under `xvfb-run -a`";
  return "gl gave no context. On Linux it wants an X display, such as `xvfb-run -a` gives, and Mesa's drivers (libgl1-mesa-dri)";
}

const why: Readonly<Record<Mode, () => string>> = {
  headlessgl: whyNotHeadless,
  webgl2: () => "there is no WebGL 2 here: it wants a browser with a GPU, or with its software renderer on",
  webgl: () => "there is no WebGL here: it wants a browser with a GPU, or with its software renderer on",
  webgpu: () => "there is no WebGPU adapter (navigator.gpu) here",
  webasm: () => "there is no WebAssembly here",
  cpu: () => "it should always run",
};

async function runs(mode: Mode): Promise<boolean> {
  switch (mode) {
    case "headlessgl":
      return GPU.isHeadlessGLSupported;
    case "webgl2":
      return GPU.isWebGL2Supported;
    case "webgl":
      return GPU.isWebGLSupported;
    case "webgpu":
      return GPU.isWebGPUSupported && (await GPU.isWebGPUAvailable());
    case "webasm":
      return GPU.isWebAssemblySupported;
    case "cpu":
      return true;
  }
}

/** The best that this platform has: of GPUs, since for CPUs there are better backends. */
async function best(): Promise<Mode> {
  const wanted: readonly Mode[] = inNode ? ["headlessgl"] : ["webgl2", "webgl"];
  for (const mode of wanted) if (await runs(mode)) return mode;
  const [first = "webgl2"] = wanted;
  return fail("UNSUPPORTED", `openGpuJs: expected a GPU, got none: ${why[first]()}; or ${instead}`);
}

/** @throws INVALID_ARGUMENT, UNSUPPORTED with what is missing and what to do */
export async function chooseMode(asked: unknown): Promise<Mode> {
  if (asked === undefined) return best();
  const mode = modes.find((known) => known === asked);
  if (mode === undefined)
    return fail(
      "INVALID_ARGUMENT",
      `openGpuJs: expected a mode of ${modes.join(", ")}, got ${typeof asked === "string" ? asked : kindOf(asked)}; without one the best is taken`,
    );
  if (!(await runs(mode)))
    fail("UNSUPPORTED", `openGpuJs: mode ${mode} doesn't run here: ${why[mode]()}; or ${instead}`);
  return mode;
}

/** A context of gpu.js, surely of this mode. */
export function openGpu(mode: Mode): Gpu {
  let gpu: Gpu;
  try {
    gpu = new GPU({ mode });
  } catch (error) {
    return fail("UNSUPPORTED", `openGpuJs: mode ${mode} doesn't run here: ${String(error)}; ${instead}`);
  }
  const { features } = gpu.Kernel;
  const real = modeOf(gpu.Kernel);
  if (real !== mode) fail("UNSUPPORTED", `openGpuJs: expected mode ${mode}, got ${real}; ${instead}`);
  const gl = mode === "headlessgl" || mode === "webgl" || mode === "webgl2";
  if (gl && !(features?.isTextureFloat && features.isFloatRead))
    fail(
      "UNSUPPORTED",
      `openGpuJs: mode ${mode} has no float textures that can be read back here, which float32 wants; ${instead}`,
    );
  return gpu;
}
