/** Gradient clipping, to be chained before an optimizer. */

import { constant } from "../graph.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, max, mul } from "../ops/elementwise.ts";
import { reduceSumSquare } from "../ops/reductions.ts";
import { mapGradients, type Optimizer } from "./optimizer.ts";

/**
 * Scales all gradients down together so that their joint Euclidean norm is at most `maxNorm`. Metric: `gradient_norm`,
 * before clipping.
 */
export function clipByGlobalNorm(maxNorm: number): Optimizer {
  return {
    init: () => ({}),
    update: (gradients) => {
      const squares = [...gradients.values()].map((gradient) => reduceSumSquare(gradient));
      const norm = sqrt(squares.reduce((total, part) => add(total, part), constant(0)));
      const scale = div(maxNorm, max(norm, maxNorm));
      return {
        updates: mapGradients(gradients, (gradient) => mul(gradient, scale)),
        state: {},
        metrics: { gradient_norm: norm },
      };
    },
  };
}
