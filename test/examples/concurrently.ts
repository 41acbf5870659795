/** Many requests, a few at a time. */

/** The results in the order of the items. After a first error nothing further is begun. */
export async function concurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const remaining = items.entries();
  const worker = async () => {
    for (const [index, item] of remaining) results[index] = await work(item);
  };
  try {
    await Promise.all(Array.from({ length: limit }, worker));
    return results;
  } catch (error) {
    for (const _ of remaining);
    throw error;
  }
}
