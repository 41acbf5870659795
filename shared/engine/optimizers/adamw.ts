/** Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), as graph nodes. */
import { constant, type Node, parameter } from "../graph.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, mul, pow, square, sub } from "../ops/elementwise.ts";
import { cast } from "../ops/logic.ts";
import { type Optimizer, type PerParameter, slots } from "./optimizer.ts";

export interface AdamWOptions {
  /** float32 scalar, fed at each step: see schedules.ts. */
  readonly learningRate: Node;
  /** Decay of the mean of gradients. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients. Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Default 0.01. */
  readonly weightDecay?: number;
  /** Which parameters decay. Default: matrices and larger, not biases and normalisation weights. */
  readonly decays?: (parameter: Node) => boolean;
}

const count = "adamw.step";

/**
 * State: "adamw.step" (a float32 count), and per parameter "adamw.m:name" and "adamw.v:name", which are the paper's
 * m / (1 - beta1) and v / (1 - beta2): sums that decay, which take a pass over memory less than means that do.
 */
export function adamw(options: AdamWOptions): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999 } = options;
  return {
    init: (parameters) => ({
      [count]: parameter(count, []),
      ...slots("adamw.m", parameters),
      ...slots("adamw.v", parameters),
    }),
    update: (gradients, state, parameters) => {
      const step = add(state[count]!, 1);
      const rates = stepRates(step, options);
      const next: Record<string, Node> = { [count]: step };
      const updates: PerParameter = new Map(
        parameters.map((target) => {
          const gradient = gradients.get(target)!;
          const m = decayedSum(state[`adamw.m:${target.name}`]!, gradient, beta1);
          const v = decayedSum(state[`adamw.v:${target.name}`]!, square(gradient), beta2);
          next[`adamw.m:${target.name}`] = m;
          next[`adamw.v:${target.name}`] = v;
          return [target, parameterUpdate(target, m, v, rates, options)];
        }),
      );
      return { updates, state: next };
    },
  };
}

interface Rates {
  /** What m / (sqrt(v) + epsilon) is multiplied by: negative, as a step goes downhill. */
  readonly scale: Node;
  readonly epsilon: Node;
  /** What a decaying parameter is multiplied by and changed by: negative, or null without decay. */
  readonly decay: Node | null;
}

// What is the same for every element is moved out of the work per element. The paper's corrected means are k1 m and
// k2 v, with k = (1 - beta) / (1 - beta^step) (Kingma and Ba 2015, section 2), and
// k1 m / (sqrt(k2 v) + e) = k1/sqrt(k2) * m / (sqrt(v) + e/sqrt(k2)).
// 1 - beta^step cancels at the first steps, so it is taken in float64.
function stepRates(step: Node, options: AdamWOptions): Rates {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
  const correction = (beta: number) => div(1 - beta, sub(1, pow(constant(beta, "float64"), cast(step, "float64"))));
  const root = sqrt(correction(beta2));
  const downhill = mul(cast(learningRate, "float64"), -1);
  return {
    scale: cast(mul(downhill, div(correction(beta1), root)), "float32"),
    epsilon: cast(div(epsilon, root), "float32"),
    decay: weightDecay > 0 ? mul(learningRate, -weightDecay) : null,
  };
}

function decayedSum(sum: Node, value: Node, beta: number): Node {
  return add(mul(sum, beta), value);
}

function parameterUpdate(target: Node, m: Node, v: Node, rates: Rates, { decays = isMatrix }: AdamWOptions): Node {
  const step = mul(rates.scale, div(m, add(sqrt(v), rates.epsilon)));
  return rates.decay && decays(target) ? add(step, mul(target, rates.decay)) : step;
}

function isMatrix(parameter: Node): boolean {
  return parameter.type.shape.length > 1;
}
