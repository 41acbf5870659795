/** What every step of an import works with. */
import type OpenAI from "openai";

export interface Calls {
  client: OpenAI;
  /** Aborts when the user has had enough. */
  signal: AbortSignal;
  /** How far a step is. */
  progress(what: string, done: number, total: number): void;
}

/** A few at a time. After a first error nothing further is begun. */
export async function forEach<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const remaining = items.values();
  const worker = async () => {
    for (const item of remaining) await work(item);
  };
  try {
    await Promise.all(Array.from({ length: limit }, worker));
  } catch (error) {
    for (const _ of remaining);
    throw error;
  }
}
