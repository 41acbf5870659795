/** Several things at a time, their results in the order of what they came from. */

/** Starts up to `window` of them ahead of the result asked for. Ends with the first that fails. */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  window: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const started: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Its failure is told when its turn comes.
    result.catch(() => {});
    started.push(result);
    if (started.length === window) yield await started.shift()!;
  }
  for (const result of started) yield await result;
}
