/**
 * A GPU context: compiled kernels, textures, and what moves between them. A kernel of gpu.js always writes to a texture of its own; it
 * can't write to a part of one. So each result is copied from there to where it belongs, texture to texture: no launch, no download.
 */
import { noCounts } from "./counters.ts";
import type { Asked, Device, Image, Result } from "./device.ts";
import { disposed, fail, lost } from "./errors.ts";
import type { Gl, GlFramebuffer, GlTexture } from "./gl.ts";
import { Texture, textureOf, type Gpu, type Mode } from "./gpujs.ts";
import { Kernels, type Program } from "./kernels.ts";
import type { Rectangle } from "./rectangles.ts";

/** Numbers in a texture, one a texel, line by line. */
interface GlImage extends Image {
  readonly texture: GlTexture;
}

/** Textures that wait for another use, of all sizes. */
const MOST_SPARE = 64;

export class GlDevice implements Device {
  readonly counters = noCounts();
  readonly kernels: Kernels;
  readonly gl: Gl;
  readonly size: number;
  readonly longest: number;
  readonly float32 = true;
  readonly readsNow = true;
  readonly inputs: number;
  readonly outputs: number;
  readonly #spare: GlImage[] = [];
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
    this.kernels = new Kernels(gpu, mode, this.counters, "ArrayTexture(1)", true);
    this.#owner = this.kernels.owner();
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

  inUse(): void {
    if (this.#disposed) disposed();
    if (this.gl.isContextLost()) lost(this.mode, "context");
  }

  launch(program: Program, output: readonly number[], args: readonly unknown[]): Result[] {
    return this.kernels.launch(program, output, args).map((result) => {
      const { texture, size } = textureOf(result);
      return { numbers: texture, width: size[0] ?? 0 };
    });
  }

  /** A texture of these numbers, line by line; without them, whatever it held before. */
  image(width: number, height: number, data: Float32Array | undefined, writable: boolean): GlImage {
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
  release(image: GlImage): void {
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

  copy(from: GlTexture, to: GlImage, rectangles: readonly Rectangle[]): void {
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

  /** Lines of several images are brought together first: what costs is to wait. */
  read(asked: readonly Asked<GlImage>[]): void {
    const parts = asked.map(({ image, into, offset }) => {
      const y = Math.floor(offset / image.width);
      const height = Math.ceil((offset + into.length) / image.width) - y;
      return { image, into, y, height, start: offset - y * image.width };
    });
    const [only] = parts;
    if (parts.length === 1 && only) {
      const { width, texture } = only.image;
      return this.#take(only, this.#pixels(texture, only.y, width, only.height), width, 0);
    }
    const width = Math.max(...parts.map(({ image }) => image.width));
    const lines = parts.reduce((sum, { height }) => sum + height, 0);
    if (lines > this.size) return asked.forEach((one) => this.read([one]));
    const all = this.image(width, lines, undefined, true);
    try {
      let toY = 0;
      const from = parts.map(({ image, y, height }) => {
        this.copy(image.texture, all, [{ x: 0, y, toX: 0, toY, width: image.width, height }]);
        return (toY += height) - height;
      });
      const pixels = this.#pixels(all.texture, 0, width, lines);
      parts.forEach((part, i) => this.#take(part, pixels, width, from[i] ?? 0));
    } finally {
      this.release(all);
    }
  }

  /** What was asked for, out of pixels of `width` a line, of which its first is at `from`. */
  #take(
    { image, into, start }: { image: GlImage; into: Float32Array; start: number },
    { room, channels }: { room: Float32Array; channels: number },
    width: number,
    from: number,
  ): void {
    for (let i = 0; i < into.length; i++) {
      const at = start + i;
      const x = at % image.width;
      into[i] = room[((from + (at - x) / image.width) * width + x) * channels] as number;
    }
  }

  #pixels(
    texture: GlTexture,
    y: number,
    width: number,
    height: number,
  ): { room: Float32Array; channels: number } {
    const { gl } = this;
    this.#readFrom(texture);
    const single = (this.#readsSingle ??=
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_FORMAT) === gl.RED &&
      gl.getParameter(gl.IMPLEMENTATION_COLOR_READ_TYPE) === gl.FLOAT);
    const channels = single ? 1 : 4;
    const length = channels * width * height;
    if (this.#room.length < length) this.#room = new Float32Array(length);
    const room = this.#room;
    gl.readPixels(0, y, width, height, single ? (gl.RED ?? 0) : gl.RGBA, gl.FLOAT, room);
    // A context that is lost leaves zeros, and so does a texture that there was no memory for. To ask sooner would be to wait.
    this.inUse();
    if (gl.getError() === gl.OUT_OF_MEMORY)
      fail(
        "OUT_OF_MEMORY",
        `gpujs(${this.mode}): the GPU had no memory for all textures; use smaller sizes or dispose of models`,
      );
    this.counters.downloads++;
    this.counters.downloadedBytes += 4 * length;
    return { room, channels };
  }

  /** Gives the context back. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#spare.length = 0;
    this.counters.textures = 0;
    this.kernels.dispose();
    // gpu.js gives it back in the next turn of the loop; a page may open many in this one, and has room for 16.
    this.gl.getExtension("WEBGL_lose_context")?.loseContext?.();
  }
}
