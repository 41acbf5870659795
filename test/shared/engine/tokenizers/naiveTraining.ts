/** Vocabulary training written down again, as plainly as it can be said and as slowly as it may be. */

/** Byte-pair encoding by recounting everything before each merge. Ties go to the pair whose symbols came first. */
export function naiveMerges(
  words: ReadonlyMap<string, number>,
  { first, join, merges: wanted, minFrequency }: NaiveOptions,
): [string, string][] {
  const tokens = [...first.tokens];
  const cut = Array.from(words, ([word, count]) => ({ parts: first.spell(word), count }));
  const merges: [string, string][] = [];
  while (merges.length < wanted) {
    const counts = new Map<string, number>();
    for (const { parts, count } of cut) {
      for (let i = 0; i + 1 < parts.length; i++) {
        const pair = JSON.stringify([parts[i], parts[i + 1]]);
        counts.set(pair, (counts.get(pair) ?? 0) + count);
      }
    }
    const rank = (pair: string) => (JSON.parse(pair) as string[]).map((token) => tokens.indexOf(token));
    const ranked = [...counts].sort(([p, m], [q, n]) => {
      const [a, b] = [rank(p), rank(q)];
      return n - m || a[0]! - b[0]! || a[1]! - b[1]!;
    });
    const best = ranked[0];
    if (!best || best[1] < minFrequency) break;
    const [a, b] = JSON.parse(best[0]) as [string, string];
    const joined = join(a, b);
    if (!tokens.includes(joined)) tokens.push(joined);
    merges.push([a, b]);
    for (const word of cut) word.parts = merged(word.parts, a, b, joined);
  }
  return merges;
}

export interface NaiveOptions {
  readonly first: { readonly tokens: readonly string[]; readonly spell: (word: string) => string[] };
  readonly join: (a: string, b: string) => string;
  readonly merges: number;
  readonly minFrequency: number;
}

function merged(parts: readonly string[], a: string, b: string, joined: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const found = parts[i] === a && parts[i + 1] === b;
    result.push(found ? joined : parts[i]!);
    if (found) i++;
  }
  return result;
}

/** Every way to cut a word into the given pieces. */
export function allCuts(word: string, pieces: readonly string[]): number[][] {
  if (word === "") return [[]];
  return pieces.flatMap((piece, number) =>
    word.startsWith(piece) ? allCuts(word.slice(piece.length), pieces).map((rest) => [number, ...rest]) : [],
  );
}

/** How often each piece is to be expected, every cut of every word weighed by its probability. */
export function naiveExpectations(
  words: ReadonlyMap<string, number>,
  pieces: readonly string[],
  scores: ArrayLike<number>,
): number[] {
  const expected = pieces.map(() => 0);
  for (const [word, count] of words) {
    const cuts = allCuts(word, pieces);
    const weights = cuts.map((cut) => Math.exp(cut.reduce((sum, piece) => sum + scores[piece]!, 0)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, cut] of cuts.entries()) {
      for (const piece of cut) expected[piece]! += (count * weights[i]!) / total;
    }
  }
  return expected;
}
