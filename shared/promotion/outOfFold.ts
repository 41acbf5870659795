/** What n-grams of the other rows make of each row, on a thread of its own: they read every text, and a lease must not wait. */
import { onThread } from "../data/onThread.ts";
import { outOfFold } from "../labels/outOfFold.ts";

export interface Labelled {
  readonly texts: readonly string[];
  readonly labels: readonly string[];
}

const limits = { maxOldGenerationSizeMb: 1024 };
const thread = new URL("./outOfFoldThread.ts", import.meta.url);

/** By row, the likeliest label. Aborting ends the thread and rejects with the signal's reason. */
export function answersOnThread(rows: Labelled, signal?: AbortSignal): Promise<string[]> {
  return onThread(thread, rows, limits, signal);
}

export function answersOf({ texts, labels }: Labelled): string[] {
  const names = [...new Set(labels)].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const own = Int32Array.from(labels, (label) => places.get(label)!);
  const probabilities = outOfFold({ texts, labels: own, classes: names.length });
  return texts.map((_, row) => {
    const ofRow = probabilities.subarray(row * names.length, (row + 1) * names.length);
    return names[ofRow.indexOf(Math.max(...ofRow))]!;
  });
}
