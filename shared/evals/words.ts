/** Texts as lists of words. Chinese, Japanese and Thai write without spaces: there each character is a word. */

const unspaced = "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}]";
const word = new RegExp(`${unspaced}|(?:(?!${unspaced})[\\p{L}\\p{N}\\p{M}])+`, "gu");
const wordOrMark = new RegExp(`${word.source}|[^\\s]`, "gu");

/** Letters and digits alone, in lower case: what ROUGE and METEOR compare. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(word) ?? [];

/** With case, and each mark a word: what BLEU and GLEU compare. */
export const wordsAndMarksOf = (text: string): string[] => text.match(wordOrMark) ?? [];

/** How often each run of `size` words occurs. */
export function countRuns(words: readonly string[], size: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + size <= words.length; i++) {
    const run = words.slice(i, i + size).join("\u0000");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
}

/** Of two such counts, what both have. */
export function sharedRuns(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  let shared = 0;
  for (const [run, count] of a) shared += Math.min(count, b.get(run) ?? 0);
  return shared;
}
