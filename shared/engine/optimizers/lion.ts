/** Lion (Chen et al. 2023, algorithm 2): the sign of a momentum, at half of Adam's memory. */
import type { Node } from "../graph.ts";
import { sign } from "../ops/activations.ts";
import { add, mul } from "../ops/elementwise.ts";
import { type Optimizer, slots } from "./optimizer.ts";

export interface LionOptions {
  /** float32 scalar, fed at each step; a third to a tenth of what suits AdamW. */
  readonly learningRate: Node;
  /** Share of the momentum in the direction of a step. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the momentum itself. Default 0.99. */
  readonly beta2?: number;
  /** Default 0. */
  readonly weightDecay?: number;
  /** Which parameters decay. Default: matrices and larger, not biases and normalisation weights. */
  readonly decays?: (parameter: Node) => boolean;
}

/** State: per parameter "lion.m:name". */
export function lion(options: LionOptions): Optimizer {
  const { learningRate, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
  const { decays = ({ type }) => type.shape.length > 1 } = options;
  const slot = (target: Node) => `lion.m:${target.name}`;
  const downhill = mul(learningRate, -1);
  const blend = (m: Node, gradient: Node, beta: number) => add(mul(m, beta), mul(gradient, 1 - beta));
  return {
    init: (parameters) => slots("lion.m", parameters),
    update: (gradients, state) => {
      const each = [...gradients].map(([target, gradient]) => {
        const m = state[slot(target)]!;
        const direction = sign(blend(m, gradient, beta1));
        const decayed = weightDecay > 0 && decays(target) ? add(direction, mul(target, weightDecay)) : direction;
        return { target, update: mul(decayed, downhill), m: blend(m, gradient, beta2) };
      });
      return {
        updates: new Map(each.map(({ target, update }) => [target, update])),
        state: Object.fromEntries(each.map(({ target, m }) => [slot(target), m])),
      };
    },
  };
}
