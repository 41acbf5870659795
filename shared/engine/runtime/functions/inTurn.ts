/** One after another: a session takes all threads anyway, and may use its memory again for each call. */
let last: Promise<unknown> = Promise.resolve();

export function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}
