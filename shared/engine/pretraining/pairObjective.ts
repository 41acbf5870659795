/** Texts that belong together: two views of one sentence, sentences that follow each other, and pairs that were given. */
import { mixSeeds } from "../random.ts";
import { combine, mix } from "../text/hashing.ts";
import { lengthBatches } from "../training/batches.ts";
import type { Tensors } from "../training/fitGraph.ts";
import { padBatch } from "../training/textBatches.ts";
import { contrastiveLoss } from "./contrastiveLoss.ts";
import { type HeldBatch, type Objective, type Reading, surrounded } from "./objective.ts";
import type { Passages } from "./passages.ts";

export interface PairReading extends Reading {
  /** Given pairs: documents of two sentences each. */
  readonly pairs: Passages;
  readonly temperature: number;
  /** Pairs of a step at most. */
  readonly pairsPerStep: number;
  /** The share of sentences whose partner is the next one, where there is one, and not they themselves. */
  readonly neighbours: number;
  /** The share of tokens that a second view of a sentence lacks. */
  readonly omitted: number;
}

interface Pairs {
  readonly count: number;
  /** Tokens of the longer one, special tokens included. */
  readonly lengths: Int32Array;
  /** Both texts; what is drawn depends on the salt. */
  readonly of: (pair: number, salt: number) => readonly [Int32Array, Int32Array];
}

// As a score it leaves no chance.
const never = -1e9;
const heldPairs = 256;

/** Throws RangeError where the texts have no sentence to learn from. */
export function pairObjective(reading: PairReading): Objective {
  const { model, temperature, pairsPerStep, tokenBudget, dropout, seed, longest } = reading;
  const train = both(sentencePairs(reading.train, reading), givenPairs(reading.pairs, reading));
  if (train.count === 0) throw new RangeError("the texts hold no sentence of two tokens");
  const held = sentencePairs(reading.held, reading);
  const feeds = (pairs: Pairs, rows: Int32Array, salt: number) =>
    feedsOf(Array.from(rows, (row) => pairs.of(row, mix(combine(salt, row)))));
  return {
    name: "contrastive",
    graph: (noise) => contrastiveLoss(model, temperature, noise && { rate: dropout, seed: noise }),
    batches: lengthBatches({
      lengths: train.lengths,
      tokenBudget: Math.floor(tokenBudget / 2),
      maxRows: pairsPerStep,
      seed,
    }),
    largest: { rows: 2 * Math.max(1, Math.floor(tokenBudget / 2 / longest)), bindings: { sequence: longest } },
    divisible: false,
    feedsOf: (rows, step) => feeds(train, rows, mixSeeds(seed, step, 0x7061)),
    tokensOf: (rows) => rows.reduce((sum, row) => sum + 2 * train.lengths[row]!, 0),
    *held(): Generator<HeldBatch> {
      const rows = Int32Array.from({ length: Math.min(held.count, heldPairs) }, (_, i) => i);
      if (rows.length > 1) yield { feeds: feeds(held, rows, 0), weight: rows.length };
    },
  };
}

function sentencePairs(passages: Passages, { special, longest, neighbours, omitted }: PairReading): Pairs {
  const { ids, starts, documents } = passages;
  const room = longest - special.before.length - special.behind.length;
  const sentences = Int32Array.from(documents.keys()).filter((i) => starts[i + 1]! - starts[i]! > 1);
  const tokens = (sentence: number) =>
    ids.subarray(starts[sentence], Math.min(starts[sentence + 1]!, starts[sentence]! + room));
  const hasNext = (sentence: number) => documents[sentence + 1] === documents[sentence];
  const lengthOf = (sentence: number) =>
    Math.max(tokens(sentence).length, hasNext(sentence) ? tokens(sentence + 1).length : 0);
  return {
    count: sentences.length,
    lengths: sentences.map((sentence) => lengthOf(sentence) + longest - room),
    of(pair, salt) {
      const sentence = sentences[pair]!;
      const own = tokens(sentence);
      const isNext = hasNext(sentence) && mix(salt) < neighbours * 2 ** 32;
      const other = isNext ? tokens(sentence + 1) : without(own, omitted, salt);
      return [surrounded(own, special), surrounded(other, special)];
    },
  };
}

function givenPairs({ ids, starts, documents }: Passages, { special, longest }: PairReading): Pairs {
  const room = longest - special.before.length - special.behind.length;
  const tokens = (sentence: number) =>
    ids.subarray(starts[sentence], Math.min(starts[sentence + 1]!, starts[sentence]! + room));
  const firsts = Int32Array.from(documents.keys()).filter(
    (i) => documents[i + 1] === documents[i] && documents[i - 1] !== documents[i],
  );
  return {
    count: firsts.length,
    lengths: firsts.map((i) => Math.max(tokens(i).length, tokens(i + 1).length) + longest - room),
    of: (pair) => [surrounded(tokens(firsts[pair]!), special), surrounded(tokens(firsts[pair]! + 1), special)],
  };
}

function both(a: Pairs, b: Pairs): Pairs {
  return {
    count: a.count + b.count,
    lengths: Int32Array.from([...a.lengths, ...b.lengths]),
    of: (pair, salt) => (pair < a.count ? a.of(pair, salt) : b.of(pair - a.count, salt)),
  };
}

/** Most of the tokens, in their order; at least the first. */
function without(ids: Int32Array, share: number, salt: number): Int32Array {
  const kept = ids.filter((_, i) => mix(combine(salt, i + 1)) >= share * 2 ** 32);
  return kept.length > 0 ? kept : ids.subarray(0, 1);
}

/** First all that seek, then in the same order what they are to find, and these seek in turn. */
function feedsOf(pairs: readonly (readonly [Int32Array, Int32Array])[]): Tensors {
  const texts = [...pairs.map(([one]) => one), ...pairs.map(([, other]) => other)];
  const partners = Int32Array.from(texts, (_, row) => (row + pairs.length) % texts.length);
  const names = texts.map((ids) => ids.join(" "));
  const apart = new Float32Array(texts.length ** 2);
  for (const [row, name] of names.entries()) {
    for (const [other, its] of names.entries()) {
      // The same words elsewhere in the batch are no wrong answer.
      if (row === other || (name === its && other !== partners[row])) apart[row * texts.length + other] = never;
    }
  }
  return {
    ...padBatch(texts),
    partners: { shape: [texts.length], data: partners },
    apart: { shape: [texts.length, texts.length], data: apart },
  };
}
