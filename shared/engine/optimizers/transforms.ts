/** What is chained behind an optimizer: rates of their own for some parameters, and the moving average of weights. */
import { type Node, parameter } from "../graph.ts";
import { add, min, mul, type Operand, sub } from "../ops/elementwise.ts";
import { mapGradients, type Optimizer, slots } from "./optimizer.ts";

/**
 * Multiplies each parameter's update, weight decay included, by a factor of its own (a number or a float32 scalar):
 * per-group learning rates, to be chained behind an optimizer.
 */
export function scaleUpdates(factor: (parameter: Node) => Operand): Optimizer {
  return {
    init: () => ({}),
    update: (updates) => ({
      updates: mapGradients(updates, (update, target) => {
        const by = factor(target);
        return by === 1 ? update : mul(update, by);
      }),
      state: {},
    }),
  };
}

const count = "average.step";

/**
 * Keeps the exponential moving average of each weight as state "average:name" and leaves the updates alone: to be
 * chained last. The average starts at the weights after the first step, so it owes nothing to zeros.
 */
export function averageWeights(decay: number): Optimizer {
  return {
    init: (parameters) => ({ [count]: parameter(count, []), ...slots("average", parameters) }),
    update: (updates, state) => {
      const kept = mul(min(state[count]!, 1), decay);
      const averages = [...updates].map(([target, update]): [string, Node] => {
        const name = `average:${target.name}`;
        return [name, add(mul(state[name]!, kept), mul(add(target, update), sub(1, kept)))];
      });
      return { updates, state: { [count]: add(state[count]!, 1), ...Object.fromEntries(averages) } };
    },
  };
}
