/** What takes long to make, made once for all who ask for it by the same key. */

/** The promise kept under the key, or a new one. One that fails is told to all who wait, and the next who asks tries again. */
export function keptPromise<Value>(
  kept: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const known = kept.get(key);
  if (known) return known;
  const made = make();
  kept.set(key, made);
  made.catch(() => kept.delete(key));
  return made;
}
