/** Stochastic gradient descent with optional momentum (PyTorch's form: v = momentum v + g; p -= rate v). */
import type { Node } from "../graph.ts";
import { add, mul } from "../ops/elementwise.ts";
import { mapGradients, type Optimizer, slots } from "./optimizer.ts";

export interface SgdOptions {
  /** float32 scalar, fed at each step: see schedules.ts. */
  readonly learningRate: Node;
  /** Default 0, which keeps no state. */
  readonly momentum?: number;
}

/** State with momentum: per parameter "sgd.v:name". */
export function sgd({ learningRate, momentum = 0 }: SgdOptions): Optimizer {
  const velocity = (target: Node) => `sgd.v:${target.name}`;
  const rate = mul(learningRate, -1);
  return {
    init: (parameters) => (momentum === 0 ? {} : slots("sgd.v", parameters)),
    update: (gradients, state) => {
      if (momentum === 0) return { updates: mapGradients(gradients, (gradient) => mul(gradient, rate)), state: {} };
      const next = mapGradients(gradients, (gradient, target) =>
        add(mul(state[velocity(target)]!, momentum), gradient),
      );
      return {
        updates: mapGradients(next, (v) => mul(v, rate)),
        state: Object.fromEntries([...next].map(([target, v]) => [velocity(target), v])),
      };
    },
  };
}
