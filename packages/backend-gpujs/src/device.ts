/**
 * A GPU context: compiled kernels, textures, and what moves between them. A kernel of gpu.js always writes to a texture of its own; it
 * can't write to a part of one. So each result is copied from there to where it belongs, texture to texture: no launch, no download.
 */
import { fail } from "./errors.ts";
import type { Gl, GlFramebuffer, GlTexture } from "./gl.ts";
import { modeOf, Texture, type Gpu, type Mode, type Output, type RunKernel } from "./gpujs.ts";
import { helpers, WHOLE } from "./dialect.ts";
import type { Rectangle } from "./rectangles.ts";
import type { Source } from "./source.ts";

/** What a context has done so far, and what it holds. */
export interface Counters {
  launches: number;
  /** Copies from texture to texture. */
  copies: number;
  uploads: number;
  uploadedBytes: number;
  downloads: number;
  downloadedBytes: number;
  /** Textures alive, those of kernels' own results aside. */
  textures: number;
  /** Kernels compiled. */
  compiled: number;
}

/** Numbers in a texture, one a texel, line by line. */
export interface Image {
  readonly texture: GlTexture;
  readonly width: number;
  readonly height: number;
  /** Whether results can be copied into it. */
  readonly writable: boolean;
  /** As gpu.js takes it. */
  readonly argument: Texture;
}

export interface Program {
  readonly source: Source;
  readonly run: RunKernel<Output | Readonly<Record<string, Output>>>;
  output: string;
}

/** gpu.js stops a loop without a constant bound there; no texture has more texels. */
const LONGEST_LOOP = 2 ** 28;
/** Textures that wait for another use, of all sizes. */
const MOST_SPARE = 64;

export class Device {
  readonly counters: Counters = {
    launches: 0, copies: 0, uploads: 0, uploadedBytes: 0, downloads: 0, downloadedBytes: 0, textures: 0, compiled: 0,
  }; // prettier-ignore
  readonly gl: Gl;
  /** Texels of a line, and lines. */
  readonly size: number;
  /** The longest row of numbers that kernels can index. */
  readonly longest: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly #programs = new Map<string, Program>();
  readonly #spare: Image[] = [];
  readonly #reader: GlFramebuffer;
  readonly #owner: object;
  readonly #single: boolean;
  /** Whether one channel of a result can be read alone. */
  #readsSingle: boolean | undefined;
  #room = new Float32Array(0);
  #disposed = false;

  constructor(
    readonly gpu: Gpu,
    readonly mode: Mode,
  ) {
    for (const { name, arity, source } of helpers)
      gpu.addFunction(source, {
        argumentTypes: Object.fromEntries(parameters(source, name, arity).map((p) => [p, "Float"])),
        returnType: "Float",
      });
    gpu.addFunction(WHOLE, { argumentTypes: { x: "Float" }, returnType: "Integer" });
    // The first kernel makes the context, and owns the textures as far as gpu.js asks.
    this.#owner = this.#create({ text: "function () { return 0.0; }", subKernels: {}, types: {}, constants: [] }).kernel; // prettier-ignore
    const gl = gpu.context ?? fail("UNSUPPORTED", `openGpuJs: mode ${mode} gave no context`);
    this.gl = gl;
    this.size = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.longest = 2 ** Math.min(28, gl.getShaderPrecisionFormat(gl.FRAGMENT_SHADER, gl.HIGH_INT).rangeMax);
    // gpu.js keeps a unit for itself.
    this.inputs = Math.min(16, gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS)) - 1;
    const most =
      mode === "webgl2" ? gl.MAX_DRAW_BUFFERS : gl.getExtension("WEBGL_draw_buffers")?.MAX_DRAW_BUFFERS_WEBGL;
    this.outputs = gpu.Kernel.features?.kernelMap && most !== undefined ? gl.getParameter(most) : 1;
    if (mode === "webgl2") gl.getExtension("EXT_color_buffer_float");
    else gl.getExtension("OES_texture_float");
    this.#reader = gl.createFramebuffer();
    this.#single = mode === "webgl2";
  }

  /** @throws DISPOSED, DEVICE_LOST */
  inUse(): void {
    if (this.#disposed) fail("DISPOSED", `gpujs: the backend was disposed; open a new one`);
    if (this.gl.isContextLost())
      fail(
        "DEVICE_LOST",
        `gpujs(${this.mode}): the GPU context was lost, with all that was in it; dispose of this backend and open a new one`,
      );
  }

  // ---- kernels ----

  #create(source: Source): RunKernel<Output | Readonly<Record<string, Output>>> {
    const settings = {
      output: [1, 2],
      argumentTypes: source.types,
      pipeline: true,
      immutable: false,
      precision: "single",
      tactic: "precision",
      dynamicOutput: true,
      dynamicArguments: true,
      loopMaxIterations: LONGEST_LOOP,
      fixIntegerDivisionAccuracy: false,
    } as const;
    return Object.keys(source.subKernels).length > 0
      ? this.gpu.createKernelMap(source.subKernels, source.text, settings)
      : this.gpu.createKernel(source.text, settings);
  }

  /** Compiled once for each text. */
  program(source: Source): Program {
    const key = source.text;
    let program = this.#programs.get(key);
    if (!program) {
      this.counters.compiled++;
      this.#programs.set(key, (program = { source, run: this.#create(source), output: "" }));
    }
    return program;
  }

  /** @returns the textures of the results, which last until the program runs again */
  launch(program: Program, output: readonly number[], args: readonly unknown[]): Texture[] {
    const { run, source } = program;
    const shape = output.join();
    if (program.output !== shape) {
      run.setOutput(output);
      program.output = shape;
    }
    const found = run(...args);
    this.counters.launches++;
    if (run.kernel.constructor !== this.gpu.Kernel) this.#fellBack(run);
    const names = Object.keys(source.subKernels);
    if (names.length === 0) return [found as Texture];
    const all = found as Readonly<Record<string, Texture>>;
    return ["result", ...names].map((name) => all[name] as Texture);
  }

  /** gpu.js goes on with its CPU where a kernel doesn't compile. */
  #fellBack({ kernel, fallbackReason }: RunKernel<unknown>): void {
    fail(
      "UNSUPPORTED",
      `gpujs(${this.mode}): gpu.js fell back to ${modeOf(kernel.constructor)} (${fallbackReason ?? "it doesn't say why"})`,
    );
  }

  // ---- textures ----

  /** A texture of these numbers, line by line; without them, whatever it held before. */
  image(width: number, height: number, data: Float32Array | undefined, writable: boolean): Image {
    const { gl } = this;
    const at = this.#spare.findIndex(
      (i) => i.width === width && i.height === height && i.writable === writable,
    );
    const [spare] = at < 0 ? [] : this.#spare.splice(at, 1);
    if (spare && !data) return spare;
    const texture = spare?.texture ?? gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    if (!spare)
      for (const [name, value] of [
        [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
        [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
        [gl.TEXTURE_MIN_FILTER, gl.NEAREST],
        [gl.TEXTURE_MAG_FILTER, gl.NEAREST],
      ] as const)
        gl.texParameteri(gl.TEXTURE_2D, name, value);
    // One channel where results may have one (WebGL 2), or where nothing is written; else four, of which the first counts.
    const single = this.#single || !writable;
    const [internal, format] = this.#single
      ? [gl.R32F ?? 0, gl.RED ?? 0]
      : writable
        ? [gl.RGBA, gl.RGBA]
        : [gl.LUMINANCE, gl.LUMINANCE];
    const texels = data && this.#texels(data, width * height, single ? 1 : 4);
    gl.texImage2D(gl.TEXTURE_2D, 0, internal, width, height, 0, format, gl.FLOAT, texels ?? null);
    if (texels) {
      this.counters.uploads++;
      this.counters.uploadedBytes += texels.byteLength;
    }
    if (spare) return spare;
    this.counters.textures++;
    const size = [width, height];
    const dimensions = [width * height, 1, 1];
    const argument = new Texture({
      texture, size, dimensions, output: [width * height], context: gl, kernel: this.#owner, type: "ArrayTexture(1)",
    }); // prettier-ignore
    return { texture, width, height, writable, argument };
  }

  #texels(data: Float32Array, count: number, channels: 1 | 4): Float32Array {
    if (channels === 1 && data.length === count) return data;
    const texels = new Float32Array(count * channels);
    if (channels === 1) texels.set(data);
    else for (let i = 0; i < data.length; i++) texels[4 * i] = data[i] as number;
    return texels;
  }

  /** The texture waits for another use, or goes. */
  release(image: Image): void {
    if (this.#disposed) return;
    this.#spare.push(image);
    if (this.#spare.length <= MOST_SPARE) return;
    const [oldest] = this.#spare.splice(0, 1);
    if (oldest) this.gl.deleteTexture(oldest.texture);
    this.counters.textures--;
  }

  #readFrom(texture: GlTexture): void {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#reader);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  }

  copy(from: GlTexture, to: Image, rectangles: readonly Rectangle[]): void {
    const { gl } = this;
    this.#readFrom(from);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, to.texture);
    for (let i = 0; i < rectangles.length; i++) {
      const { x, y, toX, toY, width, height } = rectangles[i] as Rectangle;
      gl.copyTexSubImage2D(gl.TEXTURE_2D, 0, toX, toY, x, y, width, height);
    }
    this.counters.copies += rectangles.length;
  }

  /** Copy numbers from `offset` on out of an image. Waits for the kernels before. */
  read({ texture, width }: Image, into: Float32Array, offset: number): void {
    const { gl } = this;
    const first = Math.floor(offset / width);
    const lines = Math.ceil((offset + into.length) / width) - first;
    this.#readFrom(texture);
    const single = (this.#readsSingle ??=
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_FORMAT) === gl.RED &&
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_TYPE) === gl.FLOAT);
    const channels = single ? 1 : 4;
    const length = channels * width * lines;
    if (this.#room.length < length) this.#room = new Float32Array(length);
    const room = this.#room;
    gl.readPixels(0, first, width, lines, single ? (gl.RED ?? 0) : gl.RGBA, gl.FLOAT, room);
    // A context that is lost leaves zeros, and so does a texture that there was no memory for. To ask sooner would be to wait.
    this.inUse();
    if (gl.getError() === gl.OUT_OF_MEMORY)
      fail(
        "OUT_OF_MEMORY",
        `gpujs(${this.mode}): the GPU had no memory for all textures; use smaller sizes or dispose of models`,
      );
    this.counters.downloads++;
    this.counters.downloadedBytes += 4 * length;
    const start = offset - first * width;
    for (let i = 0; i < into.length; i++) into[i] = room[(start + i) * channels] as number;
  }

  /** Gives the context back. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#programs.clear();
    this.#spare.length = 0;
    this.counters.textures = 0;
    void this.gpu.destroy();
  }
}

/** Names of a function's parameters. */
function parameters(source: string, name: string, arity: number): readonly string[] {
  const start = `function ${name}(`.length;
  const names = source.slice(start, source.indexOf(")")).split(", ");
  if (names.length !== arity)
    fail("INTERNAL", `gpujs: expected ${arity} parameters of ${name}, got ${names.join()}`);
  return names;
}
