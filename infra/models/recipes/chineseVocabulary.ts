/** The Chinese base's tokens: characters, frequent words of several, words in Latin letters, and bytes for everything else. */
import { byteLetters } from "../../../shared/engine/tokenizers/byteLetters.ts";
import { aroundTexts, specialTokens, tokenizerConfig } from "./englishVocabulary.ts";

const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
// Runs of one kind; the likeliest cut of a run is looked for, so runs are bounded.
const runPattern = "\\p{Script=Han}{1,32}|[\\p{L}\\p{M}]{1,32}|\\p{N}{1,4}|[^\\s\\p{L}\\p{M}\\p{N}]";

const rules = {
  normalizer: { type: "Sequence", normalizers: [{ type: "NFKC" }, { type: "Lowercase" }] },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [{ type: "Split", pattern: { Regex: runPattern }, behavior: "Removed", invert: true }, byteLevel],
  },
};

/** By word: how often it occurs. Words as the platform's dictionary cuts them, in lower case. */
export async function countChinese(texts: AsyncIterable<string>): Promise<Map<string, number>> {
  const segmenter = new Intl.Segmenter("zh", { granularity: "word" });
  const counts = new Map<string, number>();
  for await (const text of texts) {
    for (const { segment } of segmenter.segment(text.normalize("NFKC").toLowerCase())) {
      if (/^[\p{L}\p{M}\p{N}]{1,16}$|^[^\s\p{L}\p{N}]$/u.test(segment))
        counts.set(segment, (counts.get(segment) ?? 0) + 1);
    }
  }
  return counts;
}

export interface ScoredTokens {
  /** As text; special tokens first, and null for each of the 256 bytes, which stand behind them. */
  readonly words: readonly (string | null)[];
  /** As they are written in the file. */
  readonly tokens: readonly string[];
  /** Log probabilities. */
  readonly scores: readonly number[];
}

/** What a token costs beside its probability: fewer tokens are preferred to likelier ones. */
const perToken = 2;
/** The counts that never-seen characters and bytes are taken to have. */
const unseen = { character: 0.5, byte: 1e-6 };

export interface ChineseWords {
  readonly characters: readonly string[];
  /** How often words occur. */
  readonly counts: ReadonlyMap<string, number>;
  /** By word, what it means. */
  readonly dictionary: ReadonlyMap<string, unknown>;
  /** Of all characters of the texts, the share of one. */
  readonly shareOf: (character: string) => number;
}

/** Of words that a dictionary lacks, only those are tokens that occur this often: others are often cut wrongly. */
const leastCount = 8;

/**
 * Characters are always tokens; of words of several characters, and of Latin words, the most frequent are, and behind
 * them words of the dictionary that the texts lack, those of frequent characters first.
 */
export function chineseTokens(
  { characters, counts, dictionary, shareOf }: ChineseWords,
  size: { readonly words: number; readonly latin: number },
): ScoredTokens {
  const total = counts.values().reduce((sum, count) => sum + count, 0);
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([word]) => word);
  const isHan = (word: string) => /^\p{Script=Han}{2,6}$/u.test(word);
  const seen = ranked.filter((word) => isHan(word) && (dictionary.has(word) || counts.get(word)! >= leastCount));
  const chance = (word: string) => [...word].reduce((sum, character) => sum + Math.log(shareOf(character)), 0);
  const unseenWords = [...dictionary.keys()]
    .filter((word) => isHan(word) && !counts.has(word))
    .map((word) => ({ word, chance: chance(word) }))
    .sort((a, b) => b.chance - a.chance);
  const han = [...seen, ...unseenWords.map(({ word }) => word)].slice(0, size.words);
  const latin = ranked.filter((word) => /^[a-z]{2,16}$|^[0-9]{2,4}$/.test(word)).slice(0, size.latin);
  const singles = new Set([
    ...characters.filter((character) => /^\S$/u.test(character)).map((c) => c.toLowerCase()),
    ...lettersAndMarks,
  ]);
  const words = [...new Set([...singles, ...han, ...latin])];
  const score = (count: number) => Math.log(count / total) - perToken;
  // A printable ASCII character is its own byte.
  const bytes = byteLetters.map((letter, byte) => ({ letter, text: byte > 32 && byte < 127 ? letter : null }));
  const others = words.filter((word) => !/^[!-~]$/.test(word));
  return {
    words: [...specialTokens, ...bytes.map(({ text }) => text), ...others],
    tokens: [...specialTokens, ...byteLetters, ...others.map(spelt)],
    scores: [
      ...specialTokens.map(() => 0),
      ...bytes.map(({ text }) => score(text ? (counts.get(text) ?? unseen.character) : unseen.byte)),
      ...others.map((word) => score(counts.get(word) ?? unseen.character)),
    ],
  };
}

const lettersAndMarks = [..."，。！？；：、“”‘’（）《》…—·"];

export function spelt(word: string): string {
  return Array.from(Buffer.from(word), (byte) => byteLetters[byte]!).join("");
}

/** The contents of `tokenizer.json` and `tokenizer_config.json`. */
export function chineseTokenizer({ tokens, scores }: ScoredTokens) {
  const ids = Object.fromEntries(specialTokens.map((token, id) => [token, id]));
  const special = (content: string, id: number) => ({
    ...{ id, content, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false },
  });
  const rounded = (score: number) => Math.round(1000 * score) / 1000;
  return {
    tokenizer: {
      ...{ version: "1.0", truncation: null, padding: null },
      added_tokens: specialTokens.map(special),
      ...rules,
      post_processor: aroundTexts(ids),
      decoder: byteLevel,
      model: {
        type: "Unigram",
        unk_id: 1,
        byte_fallback: false,
        vocab: tokens.map((token, i) => [token, rounded(scores[i]!)]),
      },
    },
    config: tokenizerConfig,
  };
}
