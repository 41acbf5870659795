/** Self-attentive sequential recommendation (Kang and McAuley 2018): what comes after the items of a history. */
import type { Node } from "../graph.ts";
import { attention } from "../layers/attention.ts";
import { embedding, layerNorm, linear } from "../layers/basic.ts";
import { type Dropout, dropout } from "../layers/dropout.ts";
import { causalCrossEntropy, ignoredLabel } from "../layers/lossesLanguage.ts";
import { causalMask, paddingMask } from "../layers/masks.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { relu } from "../ops/activations.ts";
import { add, mul } from "../ops/elementwise.ts";
import { sliceLike, unsqueeze } from "../ops/layout.ts";
import { cast, equal, greater, where } from "../ops/logic.ts";
import { matmul, swapLast } from "../ops/matmul.ts";

export interface SasRecConfig {
  /** Items, numbered from 1; 0 is padding. */
  readonly items: number;
  readonly hidden: number;
  readonly heads: number;
  readonly layers: number;
  /** The longest history. A longer one fails the run. */
  readonly maxPositions: number;
}

/**
 * For each position of a history, int32 [batch, sequence], the score of every item to come next: float32 [batch,
 * sequence, items + 1], of which score 0 belongs to padding. Weights: item_emb, pos_emb, layers.N.*, last_layernorm.
 */
export function sasRec(scope: WeightScope, history: Node, config: SasRecConfig, noise?: Dropout): Node {
  const { items, hidden, layers, maxPositions } = config;
  const present = cast(greater(history, 0), "float32");
  const mask = add(causalMask(history), paddingMask(present));
  const positions = sliceLike(scope.get("pos_emb.weight", [maxPositions, hidden]), 0, history, 1);
  const vectors = embedding(scope.scope("item_emb"), history, items + 1, hidden);
  const start = mul(add(mul(vectors, Math.sqrt(hidden)), positions), unsqueeze(present, [2]));
  let x = dropout(start, scope.path, noise);
  for (let i = 0; i < layers; i++) x = block(scope.scope(`layers.${i}`), x, config, { mask, noise });
  const states = layerNorm(scope.scope("last_layernorm"), x, hidden, 1e-8);
  return matmul(states, swapLast(scope.get("item_emb.weight", [items + 1, hidden])));
}

/** Cross-entropy over all items of each next one; padding neither predicts nor is predicted. */
export function nextItemLoss(scores: Node, history: Node): Node {
  return causalCrossEntropy(scores, where(equal(history, 0), ignoredLabel, history));
}

interface Context {
  readonly mask: Node;
  readonly noise: Dropout | undefined;
}

function block(scope: WeightScope, x: Node, config: SasRecConfig, { mask, noise }: Context): Node {
  const { hidden, heads } = config;
  const project = (name: string, of: Node) => linear(scope.scope(name), of, hidden, hidden);
  const normal = layerNorm(scope.scope("attention_layernorm"), x, hidden, 1e-8);
  const projections = { query: project("query", normal), key: project("key", normal), value: project("value", normal) };
  const mixed = attention(projections, { heads, keyValueHeads: heads, headWidth: hidden / heads }, { mask });
  const attended = add(x, dropout(project("out", mixed), `${scope.path}.attention`, noise));
  const inner = layerNorm(scope.scope("forward_layernorm"), attended, hidden, 1e-8);
  const forward = project("forward2", relu(project("forward1", inner)));
  return add(attended, dropout(forward, `${scope.path}.forward`, noise));
}
