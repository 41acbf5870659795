/** Where a tokenizer's tokens stand in the text they were made from, however it changed case, accents and spaces. */

export interface Span {
  /** In UTF-16 code units, as JavaScript counts. */
  readonly start: number;
  /** Not included. */
  readonly end: number;
}

/**
 * A span for each token, in their order. Tokens are compared as `folded`; one that cannot be found, such as an unknown
 * word or a part of a character, spans what lies between its neighbours.
 */
export function alignTokens(text: string, tokens: readonly string[]): Span[] {
  const { letters, places } = foldWithPlaces(text);
  const found = findInOrder(letters, tokens.map(folded));
  const spans: Span[] = [];
  for (const [i, at] of found.entries()) {
    if (at) spans.push({ start: places[at.start]!.start, end: places[at.end - 1]!.end });
    else spans.push(between(text, spans, i, found, places));
  }
  return spans;
}

/** A range of folded letters, or null for a token that is not among them. */
type Found = Span | null;

/** Beyond so many letters another place of the same token is meant, unless unknown ones lie between. */
const nearby = 16;

function findInOrder(letters: string, tokens: readonly string[]): Found[] {
  let cursor = 0;
  let unknown = false;
  return tokens.map((token) => {
    const start = token === "" ? -1 : letters.indexOf(token, cursor);
    if (start < 0 || (!unknown && start - cursor > nearby)) {
      unknown = true;
      return null;
    }
    unknown = false;
    cursor = start + token.length;
    return { start, end: cursor };
  });
}

/** All of the text that no token next to this one was found in, without the spaces around it. */
function between(
  text: string,
  before: readonly Span[],
  i: number,
  found: readonly Found[],
  places: readonly Span[],
): Span {
  let last = i - 1;
  while (last >= 0 && !found[last]) last--;
  const next = found.slice(i).find((at) => at !== null);
  let start = last >= 0 ? before[last]!.end : 0;
  let end = next ? places[next.start]!.start : text.length;
  while (start < end && /\s/.test(text[start]!)) start++;
  while (end > start && /\s/.test(text[end - 1]!)) end--;
  return { start, end };
}

function foldWithPlaces(text: string): { letters: string; places: Span[] } {
  let letters = "";
  const places: Span[] = [];
  let at = 0;
  for (const character of text) {
    const [start, end] = [at, at + character.length];
    at = end;
    const kept = folded(character);
    letters += kept;
    for (let i = 0; i < kept.length; i++) places.push({ start, end });
    // A mark belongs to the letter before it.
    if (kept === "" && /\p{M}/u.test(character) && places.length > 0) places.push({ ...places.pop()!, end });
  }
  return { letters, places };
}

/** Without case, marks, spaces and the forms that tokenizers make one of. */
function folded(text: string): string {
  const lowered = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\p{M}\s]/gu, "");
  return lowered.replaceAll("’", "'").replaceAll("ς", "σ");
}
