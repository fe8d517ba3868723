/**
 * An assembler for the part of WebAssembly that kernels need: expressions are nested arrays of bytes, in the order in which the
 * stack machine wants them. WebAssembly core specification 2.0. Instructions on other types than i32 are in instructions/, each
 * exported by itself: a page ships those that it uses.
 */

/**
 * Bytes, nested; flattened once, when a function is done. What makes them runs for the first time with a page's first model, at a
 * tenth of its later speed: so nothing is copied on the way.
 */
export type Code = number | readonly Code[];

export const I32 = 0x7f;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type Type = typeof I32 | typeof F32 | typeof F64 | typeof V128;

/** An unsigned number, 7 bits a byte (LEB128). */
export const unsigned = (n: number): Code => (n < 128 ? n : [(n & 127) | 128, unsigned(n >>> 7)]);

export const bytesOf = ({ buffer }: Float32Array | Int32Array): Code => Array.from(new Uint8Array(buffer));

const signed = (n: number): Code => (n < 64 && n >= -64 ? n & 127 : [(n & 127) | 128, signed(n >> 7)]);

/** A local variable; what takes a value takes a local or a whole number as well. */
export class Local {
  constructor(readonly index: number) {}
  set(value: Value): Code {
    return [code(value), 0x21, unsigned(this.index)];
  }
  /** Add to an i32. */
  add(value: Value): Code {
    return this.set(add(this, value));
  }
}

/** A local, an i32 constant, or code that leaves a value. */
export type Value = Local | number | readonly Code[];

/** A local is known by its shape: parts that are loaded later have an assembler of their own (tsdown.config.ts). */
export const code = (value: Value): Code =>
  typeof value === "number"
    ? [0x41, signed(value)]
    : "index" in value
      ? [0x20, unsigned(value.index)]
      : value;

/** An instruction. */
/* @__NO_SIDE_EFFECTS__ */
export const op =
  (...bytes: readonly Code[]) =>
  (...values: readonly Value[]): readonly Code[] => [values.map(code), bytes];

/** A SIMD instruction, by its number. */
/* @__NO_SIDE_EFFECTS__ */
export const simd = (n: number): ((...values: readonly Value[]) => readonly Code[]) => op(0xfd, unsigned(n));

export const add = op(0x6a);
export const sub = op(0x6b);
export const mul = op(0x6c);
export const quotient = op(0x6e); // unsigned
export const remainder = op(0x70); // unsigned
export const and = op(0x71);
export const shiftLeft = op(0x74);
export const shiftRight = op(0x76);
export const isZero = op(0x45);
export const equals = op(0x46);
export const less = op(0x49); // unsigned
const select = op(0x1b);
/** a where the condition isn't 0, else b. */
export const choose = (condition: Value, a: Value, b: Value): readonly Code[] => select(a, b, condition);
/** The smaller of two unsigned numbers, each evaluated twice. */
export const least = (a: Value, b: Value): readonly Code[] => choose(less(a, b), a, b);

/** An instruction that loads from an address, and so many bytes on. */
/* @__NO_SIDE_EFFECTS__ */
export const loading =
  (...bytes: readonly Code[]) =>
  (address: Value, offset = 0): readonly Code[] => [code(address), bytes, 0, unsigned(offset)];
/* @__NO_SIDE_EFFECTS__ */
export const storing =
  (...bytes: readonly Code[]) =>
  (address: Value, value: Value, offset = 0): readonly Code[] => [
    code(address),
    code(value),
    bytes,
    0,
    unsigned(offset),
  ];

export const load = loading(0x28);

export const when = (condition: Value, then: Code, otherwise?: Code): readonly Code[] => [
  code(condition),
  0x04,
  0x40,
  then,
  otherwise === undefined ? [] : [0x05, otherwise],
  0x0b,
];

/** Run the body, and again while the condition that follows it isn't 0. */
export const repeat = (body: Code, condition: Value): readonly Code[] => [
  0x03,
  0x40,
  body,
  code(condition),
  0x0d,
  0,
  0x0b,
];

/** As long as the condition isn't 0. */
export const during = (condition: Value, body: Code): readonly Code[] =>
  when(condition, repeat(body, condition));

/** `i` from `from` up to but not including `to`, without signs: addresses go past 2³¹. */
export const count = (i: Local, from: Value, to: Value, step: number, body: Code): readonly Code[] => [
  i.set(from),
  during(less(i, to), [body, i.add(step)]),
];

export interface Routine {
  readonly index: number;
  call(...args: readonly Value[]): readonly Code[];
}

type L = Local;
/** As many locals as are taken, to types 16 at most. */
export type Some = readonly [L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L];

/** Hands out locals of a routine, as many as are taken; or one. */
export type NewLocals = (type: Type) => Some;
export type NewLocal = (type: Type) => Local;

interface Entry {
  readonly type: number;
  /** With its length. */
  readonly body: readonly number[];
}

/** The platform's own `flat`: a first module is emitted by code that runs for the first time, at a tenth of its later speed. */
const flat = (...list: Code[]): readonly number[] => list.flat(Infinity as 1) as number[];

/** What is flat isn't flattened again: most of a module's bytes are its routines'. */
const sized = (bytes: readonly number[]): readonly number[] => flat(unsigned(bytes.length)).concat(bytes);
const vector = (items: readonly Code[]): Code => [unsigned(items.length), items];
const ascii = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));
const name = (text: string): readonly number[] => sized(ascii(text));
const section = (id: number, bytes: readonly number[]): readonly number[] => [id].concat(sized(bytes));

/** A section that engines pass over; it may stand behind all others. */
export const customSection = (as: string, text: string): readonly number[] =>
  section(0, name(as).concat(ascii(text)));

/** A module in the making. Its memory is imported as `m.m`; its routines are numbered in the order in which they are made. */
export class Assembler {
  /** How many parameters each has. */
  readonly #types: number[] = [];
  readonly #routines: Entry[] = [];
  readonly #exports: (readonly [string, number])[] = [];
  readonly #table: number[] = [];
  /** Whether its memory is one that threads share. */
  shared = false;

  /** @param start what it begins with */
  constructor(start?: Assembler) {
    if (!start) return;
    this.#types.push(...start.#types);
    this.#routines.push(...start.#routines);
    this.#exports.push(...start.#exports);
    this.#table.push(...start.#table);
  }

  /** Of routines with so many parameters. */
  typeOf(parameters: number): number {
    const found = this.#types.indexOf(parameters);
    return found < 0 ? this.#types.push(parameters) - 1 : found;
  }

  /** Make a routine from a function of its parameters, which are all i32; it returns nothing. */
  routine(parameters: number, make: (parameters: Some, locals: NewLocals, local: NewLocal) => Code): Routine {
    const types: Type[] = [];
    const local: NewLocal = (type) => new Local(parameters + types.push(type) - 1);
    const endless = function* (type: Type): Iterable<Local> {
      for (;;) yield local(type);
    };
    const given = Array.from({ length: parameters }, (_, i) => new Local(i));
    const body = make(given as readonly Local[] as Some, endless as unknown as NewLocals, local);
    const locals = vector(types.map((type) => [1, type]));
    const index =
      this.#routines.push({ type: this.typeOf(parameters), body: sized(flat(locals, body, 0x0b)) }) - 1;
    return { index, call: (...args) => [args.map(code), 0x10, unsigned(index)] };
  }

  export(as: string, routine: Routine): void {
    this.#exports.push([as, routine.index]);
  }

  /** Put a routine into the table; returns its place there. */
  tabled(routine: Routine): number {
    return this.#table.push(routine.index) - 1;
  }

  /** Call what lies at a place of the table. */
  callAt(parameters: number, place: Value, ...args: readonly Value[]): readonly Code[] {
    return [args.map(code), code(place), 0x11, unsigned(this.typeOf(parameters)), 0];
  }

  bytes(): Uint8Array {
    const routines = this.#routines;
    const listed = (id: number, items: readonly Code[]): readonly number[] =>
      section(id, flat(vector(items)));
    // The types are all known only now; the limits of the memory: from 0 to 4 GiB.
    return new Uint8Array(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0].concat(
        listed(1, this.#types.map((n) => [0x60, vector(Array<Code>(n).fill(I32)), 0])),
        listed(2, [[name("m"), name("m"), 2, this.shared ? 3 : 1, 0, unsigned(65536)]]),
        listed(3, routines.map((r) => unsigned(r.type))),
        listed(4, [[0x70, 0, unsigned(this.#table.length)]]),
        listed(7, this.#exports.map(([as, index]) => [name(as), 0, unsigned(index)])),
        listed(9, [[0, 0x41, 0, 0x0b, vector(this.#table.map(unsigned))]]),
        section(10, flat(unsigned(routines.length)).concat(...routines.map((r) => r.body))),
      ),
    ); // prettier-ignore
  }
}
