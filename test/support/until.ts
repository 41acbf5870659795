/** Waits for a condition that only looking can tell. */

export interface UntilOptions {
  /** For the message when it never comes about. */
  what: string;
  seconds?: number;
}

const pauseMilliseconds = 20;

/** Resolves with the first truthy value that `look` finds. */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { what, seconds = 30 }: UntilOptions,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
  throw new Error(`Waited ${seconds} s in vain: ${what}`);
}
