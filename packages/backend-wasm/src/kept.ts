/** So many are kept of what can be made again. */
const KEPT = 64;

/** What is known by a key, or is made now; what was made first is forgotten. */
export function kept<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  const [first] = known.keys();
  if (known.size > KEPT) known.delete(first!);
  return value;
}
