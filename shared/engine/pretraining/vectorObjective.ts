/**
 * Texts whose vectors are given: a base learns to say of a text what others, who know more, say of it (Reimers and Gurevych
 * 2020, "Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation").
 */
import { input } from "../graph.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { type LanguageModel, meanState } from "../models/languageModel.ts";
import { div, square, sub } from "../ops/elementwise.ts";
import { reduceMean, reduceSum } from "../ops/reductions.ts";
import { lengthBatches } from "../training/batches.ts";
import type { Tensors } from "../training/fitGraph.ts";
import { padBatch } from "../training/textBatches.ts";
import type { HeldBatch, Objective } from "./objective.ts";
import type { ObjectiveGraph } from "./tokenLoss.ts";

export interface VectorReading {
  readonly model: LanguageModel;
  /** Token ids of each text, special ones included. */
  readonly texts: readonly Int32Array[];
  /** float32 [texts, hidden], row-major, of a mean of zero. */
  readonly targets: Float32Array;
  /** So many of the first texts are judged by, and not learned from. */
  readonly held: number;
  /** The most tokens of a step, padding included. */
  readonly tokenBudget: number;
  readonly seed: number;
}

const heldAtOnce = 64;

/** Its loss is the share of the targets' variance that the mean of a text's states misses; `accuracy` the share that it has. */
export function vectorObjective({ model, texts, targets, held, ...options }: VectorReading): Objective {
  const { tokenBudget, seed } = options;
  const { hidden } = model;
  const lengths = texts.slice(held).map(({ length }) => length);
  const variance = targets.reduce((sum, value) => sum + value * value, 0) / texts.length;
  const feeds = (rows: ArrayLike<number>): Tensors => {
    const data = new Float32Array(rows.length * hidden);
    for (let i = 0; i < rows.length; i++) {
      data.set(targets.subarray(rows[i]! * hidden, (rows[i]! + 1) * hidden), i * hidden);
    }
    const own = Array.from(rows, (row) => texts[row]!);
    return { ...padBatch(own), targets: { shape: [rows.length, hidden], data } };
  };
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  return {
    name: "vectors",
    graph: () => vectorLoss(model, variance),
    batches: lengthBatches({ lengths, tokenBudget, seed }),
    largest: { rows: Math.max(1, Math.floor(tokenBudget / longest)), bindings: { sequence: longest } },
    divisible: true,
    feedsOf: (rows) => feeds(rows.map((row) => row + held)),
    tokensOf: (rows) => rows.reduce((sum, row) => sum + lengths[row]!, 0),
    *held(): Generator<HeldBatch> {
      const byLength = Int32Array.from({ length: held }, (_, i) => i).sort(
        (a, b) => texts[a]!.length - texts[b]!.length,
      );
      for (let at = 0; at < held; at += heldAtOnce) {
        const rows = byLength.subarray(at, at + heldAtOnce);
        yield { feeds: feeds(rows), weight: rows.length };
      }
    },
  };
}

/** Beside a text's inputs: `targets` float32 [batch, hidden]. */
function vectorLoss(model: LanguageModel, variance: number): ObjectiveGraph {
  const scope = new WeightScope();
  const vectors = meanState(model, scope);
  const misses = reduceSum(square(sub(vectors, input("targets", ["batch", model.hidden]))), { axes: [1] });
  const loss = div(reduceMean(misses), variance);
  return { loss, metrics: { accuracy: sub(1, loss) }, parameters: scope.parameters };
}
