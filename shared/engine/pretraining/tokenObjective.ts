/** Hidden tokens, or next ones, of stretches of text. */
import { lengthBatches } from "../training/batches.ts";
import { padBatch } from "../training/textBatches.ts";
import { CheckpointError } from "../weights/checkpointConfig.ts";
import { type CandidateSource, candidateSource } from "./candidates.ts";
import { type AskedTokens, hideTokens, nextTokens } from "./hiding.ts";
import { type HeldBatch, type Objective, type Reading, surrounded } from "./objective.ts";
import { type Passages, type Stretches, stretchesOf } from "./passages.ts";
import { type TokenObjective, tokenLoss } from "./tokenLoss.ts";

export interface TokenReading extends Reading {
  readonly objective: TokenObjective;
  /** Of the vocabulary, how many tokens predictions are compared with, beside the targets. */
  readonly candidates: number;
}

/** The most held-out rows that are judged. */
const mostHeld = 512;
/** Held-out rows of a call: logits of a whole vocabulary take room. */
const heldAtOnce = 16;

/** Throws CheckpointError where the vocabulary has no token to hide others with. */
export function tokenObjective(reading: TokenReading): Objective {
  const { model, objective, train, special, longest, tokenBudget, dropout, seed } = reading;
  const rows = stretchesOf(train, longest - special.before.length - special.behind.length);
  const lengths = rows.starts.map(
    (start, row) => rows.ends[row]! - start + special.before.length + special.behind.length,
  );
  const ask = asking(reading);
  const source = candidateSource(countsOf(train, model.vocabulary), reading.candidates, seed);
  const text = (row: number) => textOf(train, rows, row, reading);
  return {
    name: objective,
    graph: (noise) => tokenLoss(model, objective, noise && { rate: dropout, seed: noise }),
    batches: lengthBatches({ lengths, tokenBudget, seed }),
    largest: { rows: Math.max(1, Math.floor(tokenBudget / longest)), bindings: bindingsOf(reading) },
    divisible: true,
    feedsOf(chosen, step) {
      const asked = ask(Array.from(chosen, text), step);
      return feedsOf(asked, source.draw(asked.targets, step));
    },
    tokensOf: (chosen) => chosen.reduce((sum, row) => sum + lengths[row]!, 0),
    held: () => heldBatches(reading, ask, source),
  };
}

/** What of a step's texts is asked for. */
type Ask = (texts: readonly Int32Array[], step: number) => AskedTokens;

function asking({ model, objective, special, seed }: TokenReading): Ask {
  if (objective === "causal") return nextTokens;
  const { mask, all } = special;
  if (mask === undefined) throw new CheckpointError("the vocabulary has no [MASK] or <mask> to hide tokens with");
  const isSpecial = (id: number) => all.has(id);
  return (texts, step) => hideTokens(texts, { mask, isSpecial, vocabulary: model.vocabulary, seed, step });
}

function bindingsOf({ model, longest, tokenBudget, candidates, objective }: TokenReading) {
  const asked = objective === "causal" ? tokenBudget : Math.ceil(0.2 * tokenBudget);
  return { sequence: longest, asked, candidates: Math.min(model.vocabulary, candidates + asked) };
}

function countsOf({ ids }: Passages, vocabulary: number): Float64Array {
  const counts = new Float64Array(vocabulary);
  for (const id of ids) counts[id]!++;
  return counts;
}

function textOf({ ids }: Passages, rows: Stretches, row: number, { special }: TokenReading): Int32Array {
  return surrounded(ids.subarray(rows.starts[row], rows.ends[row]), special);
}

function feedsOf({ rows, places }: AskedTokens, candidates: ReturnType<CandidateSource["draw"]>) {
  return { ...padBatch(rows), places: { shape: [places.length], data: places }, ...candidates };
}

function* heldBatches(reading: TokenReading, ask: Ask, source: CandidateSource): Generator<HeldBatch> {
  const { held, special, longest } = reading;
  const rows = stretchesOf(held, longest - special.before.length - special.behind.length);
  const count = Math.min(rows.starts.length, mostHeld);
  for (let at = 0; at < count; at += heldAtOnce) {
    const some = Array.from({ length: Math.min(heldAtOnce, count - at) }, (_, i) =>
      textOf(held, rows, at + i, reading),
    );
    // Their own numbers, so that the same tokens are hidden whenever they are judged.
    const asked = ask(some, -1 - at);
    if (asked.targets.length > 0)
      yield { feeds: feedsOf(asked, source.all(asked.targets)), weight: asked.targets.length };
  }
}
