/** What a training step holds in device memory: all that its programs have, what they share counted once. */
import {
  add, chunkLength, rowsOf, showAmount, times, type Amount, type BufferSpec, type Program, type Sizes,
} from "@recurra/core/internal"; // prettier-ignore

const kinds = ["parameters", "moments", "gradients", "as long as the sequence", "the rest"] as const;

/** A line a kind, and one for all. @param updates whose buffers of gradients are the first one's outputs */
export function memoryOf(
  training: Program,
  updates: readonly Program[],
  moments: ReadonlySet<string>,
  sizes: Sizes,
): string {
  const { T, B } = sizes;
  const known: Sizes = {
    ...sizes,
    ...(T !== undefined && B !== undefined && { C: chunkLength(T, B, Infinity) }),
  };
  const held = new Map<string, BufferSpec>();
  const kindOf = ({ name, role, slots }: BufferSpec): (typeof kinds)[number] => {
    if (moments.has(name)) return "moments";
    if (role === "parameter") return "parameters";
    if (slots === "steps" || slots === "steps+1") return "as long as the sequence";
    const updated = updates.some(({ parameters }) => Object.hasOwn(parameters, name));
    return role === "output" && updated ? "gradients" : "the rest";
  };
  training.buffers.forEach((spec, i) =>
    held.set(spec.role === "parameter" ? spec.name : `training ${i}`, spec),
  );
  const gradients = new Set(training.buffers.filter(({ role }) => role === "output").map(({ name }) => name));
  for (const { name, buffers } of updates)
    buffers.forEach((spec, i) => {
      if (spec.role !== "parameter") held.set(`${name} ${i}`, spec);
      else if (!gradients.has(spec.name)) held.set(spec.name, spec);
    });
  const bytesOf = (specs: readonly BufferSpec[]): Amount =>
    add(...specs.map((spec) => times(rowsOf(spec), 4 * spec.width * (spec.role === "state" ? 2 : 1))));
  const all = [...held.values()];
  const lines = kinds.map((kind) => [
    `  ${kind}`,
    showAmount(bytesOf(all.filter((s) => kindOf(s) === kind)), known),
  ]);
  lines.unshift(["memory of a training step, bytes", showAmount(bytesOf(all), known)]);
  const wide = Math.max(...lines.map(([name]) => (name as string).length));
  const right = Math.max(...lines.map(([, bytes]) => (bytes as string).length));
  return lines
    .map(([name, bytes]) => `${(name as string).padEnd(wide)}  ${(bytes as string).padStart(right)}`)
    .join("\n");
}
