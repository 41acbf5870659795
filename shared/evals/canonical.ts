/** JSON in one spelling: the same for the same value, in whatever order its fields stand. */

export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const isRecord = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    return isRecord ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  });
}
