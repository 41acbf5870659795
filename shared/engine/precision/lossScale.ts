/**
 * Dynamic loss scaling (Micikevicius et al. 2018, section 3.2): gradients too small for float16 are kept from vanishing
 * by a factor that halves when they overflow and doubles after many steps in which they did not.
 */
import { type Tensor, zerosTensor } from "../dataTypes.ts";
import { constant, type Node, parameter } from "../graph.ts";
import { abs } from "../ops/activations.ts";
import { add, max, min, mul } from "../ops/elementwise.ts";
import { less, where } from "../ops/logic.ts";
import { reduceSum } from "../ops/reductions.ts";
import type { Carried } from "../trainingStep.ts";

export interface LossScaleOptions {
  /** The first scale, a power of two, so that scaling is exact. Default 2^16. */
  readonly initialScale?: number;
  /** Steps without overflow after which the scale doubles. Default 2000. */
  readonly growthInterval?: number;
}

export interface LossScale {
  /** What the loss is multiplied by, a float32 scalar. */
  readonly scale: Node;
  readonly initialState: Readonly<Record<string, Tensor>>;
  /** The scale's own next values; `finite` says whether this step's gradients were. */
  next(finite: Node): Carried[];
}

/** Between 1 and 2^24, beyond which a float32 loss itself could overflow. */
const [smallest, largest] = [1, 2 ** 24];

/** State: "loss_scale", and "loss_scale.good_steps" since it last changed. */
export function lossScale({ initialScale = 2 ** 16, growthInterval = 2000 }: LossScaleOptions = {}): LossScale {
  const [scale, good] = [parameter("loss_scale", []), parameter("loss_scale.good_steps", [])];
  return {
    scale,
    initialState: {
      loss_scale: { shape: [], data: Float32Array.of(initialScale) },
      "loss_scale.good_steps": zerosTensor([]),
    },
    next(finite) {
      const one = add(good, 1);
      const isDue = less(constant(growthInterval - 0.5), one);
      const grown = where(isDue, min(mul(scale, 2), largest), scale);
      const counted = where(isDue, constant(0), one);
      return [
        { name: scale.name!, before: scale, after: where(finite, grown, max(mul(scale, 0.5), smallest)) },
        { name: good.name!, before: good, after: where(finite, counted, constant(0)) },
      ];
    },
  };
}

/** Whether no element of any value is infinite or none, a bool scalar: their sum of magnitudes is less than infinity. */
export function allFinite(values: Iterable<Node>): Node {
  const sums = [...values].map((value) => reduceSum(abs(value)));
  return less(
    sums.reduce((total, sum) => add(total, sum)),
    Number.POSITIVE_INFINITY,
  );
}
