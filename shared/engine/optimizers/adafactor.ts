/** Adafactor (Shazeer and Stern 2018): squared gradients of a matrix are kept as one mean per row and per column. */
import { constant, type Node, parameter } from "../graph.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, max, mul, pow, square, sub } from "../ops/elementwise.ts";
import { reduceMean } from "../ops/reductions.ts";
import type { Optimizer, OptimizerState } from "./optimizer.ts";

export interface AdafactorOptions {
  /** float32 scalar, fed at each step. */
  readonly learningRate: Node;
  /** Whether the rate is relative to the root mean square of each weight (at least 1e-3). Default true. */
  readonly relative?: boolean;
  /** An update's root mean square is held to this. Default 1. */
  readonly clipThreshold?: number;
  /** The decay at step t is 1 - t^-exponent. Default 0.8. */
  readonly decayExponent?: number;
}

const count = "adafactor.step";
// The last two axes are factored; whatever lies before them is a batch of matrices.
const axisOf = { r: -1, c: -2 } as const;
type Factor = keyof typeof axisOf;
const smallest = 1e-30;

/** State: "adafactor.step", per matrix "adafactor.r:name" and "adafactor.c:name", per vector "adafactor.v:name". */
export function adafactor(options: AdafactorOptions): Optimizer {
  const { learningRate, relative = true, clipThreshold = 1, decayExponent = 0.8 } = options;
  return {
    init: (parameters) => Object.assign({ [count]: parameter(count, []) }, ...parameters.map(means)),
    update: (gradients, state) => {
      const step = add(state[count]!, 1);
      const decay = sub(1, pow(step, constant(-decayExponent)));
      const next: Record<string, Node> = { [count]: step };
      const updates = new Map(
        [...gradients].map(([target, gradient]) => {
          const direction = div(gradient, sqrt(secondMoment(target, gradient, { state, next, decay })));
          const clipped = div(direction, max(div(rootMeanSquare(direction), clipThreshold), 1));
          const rate = relative ? mul(learningRate, max(rootMeanSquare(target), 1e-3)) : learningRate;
          return [target, mul(clipped, mul(rate, -1))];
        }),
      );
      return { updates, state: next };
    },
  };
}

function means({ name, type }: Node): OptimizerState {
  const shape = type.shape as readonly number[];
  const slots = shape.length < 2 ? { v: shape } : { r: [...shape.slice(0, -1), 1], c: shape.with(-2, 1) };
  return Object.fromEntries(
    Object.entries(slots).map(([slot, of]) => {
      return [`adafactor.${slot}:${name}`, parameter(`adafactor.${slot}:${name}`, of)];
    }),
  );
}

interface Moments {
  readonly state: OptimizerState;
  /** Where the next state is put. */
  readonly next: Record<string, Node>;
  readonly decay: Node;
}

// Algorithm 4: V = R C / mean(R), for matrices; Adam's mean of squares, for vectors.
function secondMoment(target: Node, gradient: Node, { state, next, decay }: Moments): Node {
  const squares = add(square(gradient), smallest);
  const moved = (slot: string, value: Node) => {
    const name = `adafactor.${slot}:${target.name}`;
    next[name] = add(mul(state[name]!, decay), mul(value, sub(1, decay)));
    return next[name];
  };
  if (target.type.shape.length < 2) return moved("v", squares);
  const along = (factor: Factor) => moved(factor, reduceMean(squares, { axes: [axisOf[factor]], keepDims: true }));
  const [rows, columns] = [along("r"), along("c")];
  return mul(div(rows, reduceMean(rows, { axes: [-2], keepDims: true })), columns);
}

function rootMeanSquare(x: Node): Node {
  return sqrt(reduceMean(square(x)));
}
