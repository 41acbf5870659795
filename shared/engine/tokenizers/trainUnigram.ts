/** A unigram vocabulary from a corpus (Kudo 2018), over bytes: the likeliest cut of a text, and no script unknown. */
import { byteLetters } from "./byteLetters.ts";
import { countWords, type Texts } from "./countWords.ts";
import { asSymbols, byteLevel } from "./trainBytePairs.ts";
import { addedTokens, config, requireRoom, type TrainedTokenizer, type VocabularyOptions } from "./trained.ts";
import { type ByteWords, bytePieces, improve, prune, type Scored, uniform } from "./unigramModel.ts";
import { seedPieces } from "./unigramSeeds.ts";

export interface UnigramOptions extends VocabularyOptions {
  /** They get the first ids. Must hold `<unk>`, which no text ever becomes. Default: `<pad>`, `<unk>`, `<s>`, `</s>`. */
  readonly specialTokens?: readonly string[];
  /** Substrings to begin with. Default: ten times `size`. */
  readonly seeds?: number;
}

// As in SentencePiece: two rounds between prunings, each of which leaves three quarters, and at last a tenth too many,
// of which the least likely go.
const rounds = 2;
const share = 0.75;
const surplus = 1.1;

/** Same corpus, same bytes. Throws RangeError where `size` has no room for the special tokens and 256 bytes. */
export async function trainUnigram(texts: Texts, options: UnigramOptions): Promise<TrainedTokenizer> {
  const { size, minFrequency = 2, specialTokens = ["<pad>", "<unk>", "<s>", "</s>"], seeds = 10 * size } = options;
  requireRoom(options, specialTokens.length + 256);
  const unk_id = specialTokens.indexOf("<unk>");
  if (unk_id < 0) throw new RangeError("specialTokens must hold <unk>");
  const words = asBytes(await countWords(texts, { normalizer: null, pre_tokenizer: byteLevel }, options));
  const room = size - specialTokens.length;
  const model = shrink(uniform([...bytePieces, ...seedPieces(words, seeds, minFrequency)]), words, room);
  const vocab = [...specialTokens.map((token) => [token, 0]), ...byScore(model, room)];
  const parts = { normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel };
  const tokenizer = {
    version: "1.0",
    added_tokens: addedTokens(specialTokens),
    ...parts,
    model: { type: "Unigram", unk_id, vocab, byte_fallback: false },
  };
  return { tokenizer, config };
}

function shrink(seeded: Scored, words: ByteWords, size: number): Scored {
  const wanted = Math.floor(size * surplus);
  let model = seeded;
  for (;;) {
    for (let round = 0; round < rounds; round++) model = improve(model, words);
    if (model.pieces.length <= wanted) return model;
    model = prune(model, words, Math.max(wanted, Math.floor(model.pieces.length * share)));
  }
}

/** The bytes and the likeliest others, by falling score. */
function byScore({ pieces, scores }: Scored, size: number): [string, number][] {
  const ranked = [...pieces.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const others = new Set(ranked.filter((piece) => piece >= 256).slice(0, size - 256));
  return ranked
    .filter((piece) => piece < 256 || others.has(piece))
    .map((piece) => [spelt(pieces[piece]!), scores[piece]!]);
}

function spelt(piece: string): string {
  return Array.from(piece, (byte) => byteLetters[byte.charCodeAt(0)]!).join("");
}

function asBytes(words: ReadonlyMap<string, number>): ByteWords {
  const { symbols, starts, counts } = asSymbols(words);
  return { bytes: Uint8Array.from(symbols), starts, counts };
}
