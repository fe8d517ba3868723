/** What is used of WebGL, 1 and 2, which the types of no platform bring along here. */

export interface GlTexture {
  readonly _?: never;
}
export interface GlFramebuffer {
  readonly _?: never;
}

export interface Gl {
  readonly TEXTURE0: number;
  readonly TEXTURE_2D: number;
  readonly TEXTURE_WRAP_S: number;
  readonly TEXTURE_WRAP_T: number;
  readonly TEXTURE_MIN_FILTER: number;
  readonly TEXTURE_MAG_FILTER: number;
  readonly CLAMP_TO_EDGE: number;
  readonly NEAREST: number;
  readonly RGBA: number;
  readonly LUMINANCE: number;
  readonly FLOAT: number;
  readonly FRAMEBUFFER: number;
  readonly COLOR_ATTACHMENT0: number;
  readonly FRAGMENT_SHADER: number;
  readonly HIGH_INT: number;
  readonly MAX_TEXTURE_SIZE: number;
  readonly MAX_TEXTURE_IMAGE_UNITS: number;
  readonly IMPLEMENTATION_COLOR_READ_FORMAT: number;
  readonly IMPLEMENTATION_COLOR_READ_TYPE: number;
  readonly OUT_OF_MEMORY: number;
  /** WebGL 2 alone. */
  readonly R32F?: number;
  readonly RED?: number;
  readonly MAX_DRAW_BUFFERS?: number;

  activeTexture(unit: number): void;
  bindTexture(target: number, texture: GlTexture | null): void;
  bindFramebuffer(target: number, framebuffer: GlFramebuffer | null): void;
  copyTexSubImage2D(
    target: number,
    level: number,
    toX: number,
    toY: number,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void;
  createFramebuffer(): GlFramebuffer;
  createTexture(): GlTexture;
  deleteTexture(texture: GlTexture): void;
  framebufferTexture2D(
    target: number,
    attachment: number,
    kind: number,
    texture: GlTexture,
    level: number,
  ): void;
  getError(): number;
  getExtension(name: string): { readonly MAX_DRAW_BUFFERS_WEBGL?: number; loseContext?(): void } | null;
  getParameter(name: number): number;
  getShaderPrecisionFormat(
    shader: number,
    precision: number,
  ): { readonly rangeMax: number; readonly precision: number };
  isContextLost(): boolean;
  readPixels(
    x: number,
    y: number,
    width: number,
    height: number,
    format: number,
    type: number,
    into: Float32Array,
  ): void;
  texImage2D(
    target: number,
    level: number,
    internalFormat: number,
    width: number,
    height: number,
    border: number,
    format: number,
    type: number,
    data: Float32Array | null,
  ): void;
  texParameteri(target: number, name: number, value: number): void;
}
