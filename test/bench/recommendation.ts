/** How often SASRec's first suggestions hold what a visitor chose next, beside the best that can be done. */
import { input, nextItemLoss, sasRec, type Tensor, type WeightScope } from "../../shared/engine/index.ts";
import { fit } from "../../shared/engine/training/fit.ts";
import { takeRows } from "../../shared/engine/training/fitRows.ts";
import { hitRate } from "../../shared/engine/training/metrics.ts";
import { predict } from "../../shared/engine/training/predict.ts";
import { makeShop, type Shop, trueProbabilities, visit } from "./recommendationData.ts";
import type { Bench, Suite } from "./suite.ts";

const [items, kinds, length] = [40, 3, 20];
const [visitors, judges] = [24_000, 1500];
/** Choices before this one tell too little of a visitor's kind. */
const firstJudged = 5;
const seed = 1;

const history = input("history", ["batch", "sequence"], "int32");
const config = { items, hidden: 96, heads: 2, layers: 2, maxPositions: length };
// Without dropout: of so many visitors, seen eight times each, none is learned by heart.
const model = (scope: WeightScope) => sasRec(scope, history, config);

export const recommendation: Suite = async ({ emit, tell }) => {
  const shop = makeShop(items, kinds, seed);
  const [train, test] = [visit(shop, visitors, length, 2), visit(shop, judges, length, 3)];
  tell(`shop: ${visitors} visitors of ${kinds} kinds to learn from, ${judges} to judge by, ${items} items`);
  const ours = await scoresOf(train, test, tell);
  const best = bestScores(shop, test);
  const targets = judged(test).map(({ next }) => next);
  for (const k of [1, 5, 10]) {
    const [value, baseline] = [ours, best].map((scores) => 100 * hitRate({ scores, targets, items: items + 1 }, k));
    const source = "ranking by the true probabilities";
    emit({ case: `sasrec/hit@${k}`, value: value!, unit: "percent", baseline: baseline!, baseline_source: source });
  }
  return "done";
};

/** Places in the histories whose next choice is asked for: those before it, and the choice. */
function judged({ shape, data }: Tensor): { row: number; at: number; next: number }[] {
  const places: { row: number; at: number; next: number }[] = [];
  for (let row = 0; row < shape[0]!; row++) {
    for (let at = firstJudged; at < length; at++) places.push({ row, at, next: data[row * length + at] as number });
  }
  return places;
}

async function scoresOf(train: Tensor, test: Tensor, tell: Bench["tell"]): Promise<Float32Array> {
  const { weights } = await fit({
    model,
    loss: (scores) => nextItemLoss(scores, history),
    rows: visitors,
    batch: 128,
    epochs: 8,
    feeds: (rows) => takeRows({ history: train }, rows),
    learningRate: 3e-3,
    seed,
    watch: ({ step, totalSteps, loss }) => tell(`shop: step ${step} of ${totalSteps}, loss ${loss.toFixed(3)}`),
  });
  const feeds = (rows: Int32Array) => takeRows({ history: test }, rows);
  const { data } = await predict({ model, weights, rows: judges, feeds });
  const width = items + 1;
  const places = judged(test);
  const scores = new Float32Array(places.length * width);
  for (const [i, { row, at }] of places.entries()) {
    const from = (row * length + at - 1) * width;
    scores.set((data as Float32Array).subarray(from, from + width), i * width);
  }
  return scores;
}

function bestScores(shop: Shop, { data }: Tensor): Float32Array {
  const [places, width] = [judged({ shape: [judges, length], data }), items + 1];
  const scores = new Float32Array(places.length * width);
  for (const [i, { row, at }] of places.entries()) {
    scores.set(trueProbabilities(shop, (data as Int32Array).subarray(row * length, row * length + at)), i * width);
  }
  return scores;
}
