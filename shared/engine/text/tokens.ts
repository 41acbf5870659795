/** Splits text of any script into words, single ideographs and single symbols. */

/** UTF-16 code units read of one text: bounds the work per row, and the rest of a long mail adds no accuracy. */
export const MAX_CHARACTERS = 3000;

// Scripts written without spaces, where one character is about one morpheme.
const IDEOGRAPHIC = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]`;
const WORD = String.raw`[[\p{L}\p{M}\p{N}]--${IDEOGRAPHIC}]+(?:'[\p{L}\p{M}]+)*`;
const TOKEN = new RegExp(String.raw`(?<word>${WORD})|${IDEOGRAPHIC}|[^\s\p{L}\p{M}\p{N}]`, "gv");

/** Compatibility-composed, lower-case text with one kind of apostrophe. */
export function normalizeText(text: string): string {
  const head = text.slice(0, MAX_CHARACTERS).toWellFormed();
  return head.normalize("NFKC").toLowerCase().replaceAll("’", "'").slice(0, MAX_CHARACTERS);
}

export interface Token {
  text: string;
  /** Letters and digits of a script written with spaces, as against one ideograph or one symbol. */
  isWord: boolean;
}

/** The tokens of a text in order, normalised. */
export function* tokenize(text: string): Generator<Token> {
  for (const match of normalizeText(text).matchAll(TOKEN)) {
    yield { text: match[0], isWord: match.groups?.word !== undefined };
  }
}
