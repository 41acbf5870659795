/** One linear layer, which its loss turns into linear regression, logistic regression or a support vector machine. */
import type { Node } from "../graph.ts";
import { linear } from "../layers/basic.ts";
import { crossEntropy } from "../layers/losses.ts";
import { meanSquaredError } from "../layers/lossesElementwise.ts";
import { squaredHinge, squaredNorm } from "../layers/lossesMargin.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { add, mul } from "../ops/elementwise.ts";

export interface LinearModelConfig {
  readonly features: number;
  /** Targets of a regression, or classes. */
  readonly outputs: number;
}

/** Scores float32 [batch, outputs] of x float32 [batch, features]. Weights: weight, bias. */
export function linearModel(scope: WeightScope, x: Node, { features, outputs }: LinearModelConfig): Node {
  return linear(scope, x, features, outputs);
}

const losses = {
  /** Targets float32 [batch, outputs]. */
  linearRegression: (scores, targets, weights) => meanSquaredError(scores, targets, weights ? { weights } : {}),
  /** Targets int32 [batch]. */
  logisticRegression: crossEntropy,
  /** Targets int32 [batch]. */
  linearSupportVectors: squaredHinge,
} satisfies Record<string, (scores: Node, targets: Node, weights?: Node) => Node>;

export type LinearModelName = keyof typeof losses;

export interface LinearLossOptions {
  /** Strength of the penalty on the squared norm of the weight, not of the bias. Default 0. */
  readonly l2?: number;
  /** float32 [batch]: how much each row counts. */
  readonly weights?: Node;
}

/** What the named model minimises: a mean over rows, and l2 / 2 times the weight's squared norm. */
export function linearLoss(
  name: LinearModelName,
  scope: WeightScope,
  { scores, targets }: { readonly scores: Node; readonly targets: Node },
  { l2 = 0, weights }: LinearLossOptions = {},
): Node {
  const loss = losses[name](scores, targets, weights);
  const penalized = scope.parameters.filter(({ type }) => type.shape.length > 1);
  return l2 === 0 ? loss : add(loss, mul(squaredNorm(penalized), l2 / 2));
}
