/** Backends around backends. */
import type { Backend } from "@recurra/core/internal";

/** The same backend, but for some members; `undefined` takes an optional one away. */
export function forward(
  backend: Backend,
  changes: Partial<{ [K in keyof Backend]: Backend[K] | undefined }>,
): Backend {
  const { readSync, prepareProgram } = backend;
  const own: Backend = {
    name: backend.name,
    limits: backend.limits,
    accuracy: backend.accuracy,
    inPlace: backend.inPlace,
    projection: backend.projection,
    alloc: (length) => backend.alloc(length),
    free: (buffer) => backend.free(buffer),
    write: (buffer, data, offset) => backend.write(buffer, data, offset),
    read: (buffer, into, offset) => backend.read(buffer, into, offset),
    prepare: (kernel) => backend.prepare(kernel),
    ...(readSync && { readSync: (buffer, into, offset) => backend.readSync!(buffer, into, offset) }),
    ...(prepareProgram && { prepareProgram: (program) => backend.prepareProgram!(program) }),
    dispose: () => backend.dispose(),
  };
  const changed = { ...own, ...changes };
  for (const key of ["readSync", "prepareProgram"] as const)
    if (changed[key] === undefined) delete changed[key];
  return changed;
}

export interface Variant {
  readonly name: string;
  /** Whether programs run in another way, so that large sizes are tried too. */
  readonly thorough: boolean;
  /** Undefined where the backend is like that already. */
  change(backend: Backend): Backend | undefined;
}

/** Each optional member removed. */
export const variants: readonly Variant[] = [
  {
    name: "without prepareProgram",
    thorough: true,
    // Without it nothing is quantized: that is another backend.
    change: (b) =>
      b.prepareProgram && !b.accuracy.quantized ? forward(b, { prepareProgram: undefined }) : undefined,
  },
  {
    name: "without readSync",
    thorough: false,
    change: (b) => b.readSync && forward(b, { readSync: undefined }),
  },
  {
    name: "without inPlace",
    thorough: true,
    change: (b) => (b.inPlace ? forward(b, { inPlace: false }) : undefined),
  },
  {
    name: "with the other projection",
    thorough: true,
    change: (b) => forward(b, { projection: b.projection === "before" ? "joined" : "before" }),
  },
];
