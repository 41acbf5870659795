/** A small problem with known gradients, trained on ONNX Runtime and in plain JavaScript and float64. */
import assert from "node:assert/strict";
import {
  carryOver,
  input,
  mul,
  type Node,
  type Optimizer,
  parameter,
  reduceSum,
  square,
  sub,
  type Tensor,
  tanh,
  toOnnx,
  trainingStep,
} from "../../../shared/engine/index.ts";
import { numbers, pickFeeds, tensor, withSession } from "./run.ts";

export const learningRate = input("learning_rate", []);
export const rates = Array.from({ length: 20 }, (_, i) => 0.02 * (1 + i / 10));
// loss = 3 |tanh(w) - 0.5|^2 + |b - 2|^2
export const w = parameter("w", [2, 2]);
export const b = parameter("b", [3]);
export const loss = reduceSum(mul(square(sub(tanh(w), 0.5)), 3));
export const total = reduceSum(square(sub(b, 2)));
export const start = { w: [0.3, -0.7, 1.2, 0.1], b: [0.5, -0.5, 4] };
const gradientOf = {
  w: (x: number) => 6 * (Math.tanh(x) - 0.5) * (1 - Math.tanh(x) ** 2),
  b: (x: number) => 2 * (x - 2),
};

export type Weights = { w: number[]; b: number[] };

export async function train(
  optimizer: Optimizer,
  steps = rates.length,
): Promise<Weights & { norms: number[]; carried: Record<string, Tensor> }> {
  const step = trainingStep({ loss: sumOf(loss, total), parameters: [w, b], optimizer });
  return withSession(toOnnx({ outputs: step.outputs }), async (session) => {
    let carried: Record<string, Tensor> = { ...step.initialState, w: tensor([2, 2], start.w), b: tensor([3], start.b) };
    const norms: number[] = [];
    for (const rate of rates.slice(0, steps)) {
      const results = await session.run(pickFeeds(session, { ...carried, learning_rate: tensor([], [rate]) }));
      carried = carryOver(step, results);
      if (results.gradient_norm) norms.push(...numbers(results.gradient_norm));
    }
    return { w: numbers(carried.w), b: numbers(carried.b), norms, carried };
  });
}

export function sumOf(a: Node, c: Node): Node {
  return sub(a, mul(c, -1));
}

/** The reference: one function from a weight's gradients to its changes, in float64. */
export function reference(
  update: (name: "w" | "b", i: number, x: number, g: number, t: number) => number,
  clip = (_: Weights) => 1,
): Weights {
  const weights: Weights = { w: [...start.w], b: [...start.b] };
  for (let t = 0; t < rates.length; t++) {
    const grads = { w: weights.w.map(gradientOf.w), b: weights.b.map(gradientOf.b) };
    const scale = clip(grads);
    for (const name of ["w", "b"] as const) {
      weights[name] = weights[name].map((x, i) => update(name, i, x, grads[name][i]! * scale, t));
    }
  }
  return weights;
}

export function close(found: Weights, expected: Weights, within: number): void {
  for (const name of ["w", "b"] as const) {
    for (const [i, value] of found[name].entries()) {
      assert.ok(Math.abs(value - expected[name][i]!) < within, `${name}[${i}] is ${value}, not ${expected[name][i]}`);
    }
  }
}
