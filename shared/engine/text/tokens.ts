/** Splits text of any script into words, single ideographs and single symbols; and scripts without spaces into a dictionary's words. */

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

/** A stretch of a normalised text. */
export interface Stretch {
  text: string;
  /** Where it begins, in UTF-16 code units. */
  start: number;
}

export interface Token extends Stretch {
  /** Letters and digits of a script written with spaces, as against one ideograph or one symbol. */
  isWord: boolean;
}

/** The tokens of a text in order, normalised. */
export function* tokenize(text: string): Generator<Token> {
  yield* tokensOf(normalizeText(text));
}

/** The tokens, in order, of a text that is normalised. */
export function* tokensOf(normalized: string): Generator<Token> {
  for (const match of normalized.matchAll(TOKEN)) {
    yield { text: match[0], start: match.index, isWord: match.groups?.word !== undefined };
  }
}

// What is written without spaces and ICU has dictionaries of. By extensions: the Japanese sign of a long vowel belongs to its word.
const UNSPACED =
  /[[\p{L}\p{M}]&&[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]]/v;

// The dictionaries are chosen by script, whatever the locale.
const splitter = new Intl.Segmenter("zh", { granularity: "word" });

/**
 * Words of scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) in a normalised text, as ICU's
 * dictionaries have them (Unicode Standard Annex 29, section 4). Versions of ICU may differ in a word.
 *
 * @throws Error where this Node.js was built without the dictionaries.
 */
export function* dictionaryWords(normalized: string): Generator<Stretch> {
  if (!UNSPACED.test(normalized)) return;
  mustHaveDictionaries();
  // One call for the text: one for each run of letters took 2.5 times as long.
  for (const { segment, index } of splitter.segment(normalized)) {
    if (UNSPACED.test(segment)) yield { text: segment, start: index };
  }
}

let hasDictionaries: boolean | undefined;

/** Without them every character is a word, and a model reads other texts than it learned from. */
function mustHaveDictionaries(): void {
  hasDictionaries ??= [...splitter.segment("银行")].length === 1;
  if (!hasDictionaries) throw new Error("This Node.js has no dictionaries for Chinese: it needs the full data of ICU");
}
