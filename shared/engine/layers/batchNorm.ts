/** Batch normalisation (Ioffe and Szegedy 2015) from primitive ops; running statistics are buffers the step carries. */
import type { Node } from "../graph.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, max, mul, square, sub } from "../ops/elementwise.ts";
import { reshape } from "../ops/layout.ts";
import { elementsAlong, reduceMean } from "../ops/reductions.ts";
import type { WeightScope } from "./weightScope.ts";

/** The next value of each buffer that a forward pass in training mode moves: hand it to `trainingStep`. */
export type BufferUpdates = Map<Node, Node>;

export interface BatchNormOptions {
  /** Given, rows are normalised by their own batch and the running statistics' next values are put here. */
  readonly training?: BufferUpdates | undefined;
  /** How much of a batch enters the running statistics. Default 0.1, as in PyTorch. */
  readonly momentum?: number;
  /** Default 1e-5. */
  readonly epsilon?: number;
}

/**
 * Each channel of x [batch, channels, ...space] to mean 0 and variance 1, then scaled and shifted. Weights: weight,
 * bias, and the buffers running_mean and running_var (unbiased), which inference uses.
 */
export function batchNorm(scope: WeightScope, x: Node, options: BatchNormOptions = {}): Node {
  const { training, epsilon = 1e-5 } = options;
  const channels = x.type.shape[1] as number;
  const alongSpace = [channels, ...x.type.shape.slice(2).map(() => 1)];
  if (!training) {
    const { scale, shift } = inferenceScale(scope, channels, epsilon);
    return add(mul(x, reshape(scale, alongSpace)), reshape(shift, alongSpace));
  }
  const axes = [...x.type.shape.keys()].filter((axis) => axis !== 1);
  const mean = reduceMean(x, { axes, keepDims: true });
  const centred = sub(x, mean);
  const variance = reduceMean(square(centred), { axes, keepDims: true });
  collect(scope, x, { mean: reshape(mean, [channels]), variance: reshape(variance, [channels]), axes }, options);
  const scale = div(reshape(scope.get("weight", [channels]), alongSpace), sqrt(add(variance, epsilon)));
  return add(mul(centred, scale), reshape(scope.get("bias", [channels]), alongSpace));
}

interface Statistics {
  readonly mean: Node;
  readonly variance: Node;
  readonly axes: readonly number[];
}

function collect(
  scope: WeightScope,
  x: Node,
  { mean, variance, axes }: Statistics,
  { training, momentum = 0.1 }: BatchNormOptions,
): void {
  const count = elementsAlong(x, axes);
  const unbiased = mul(variance, div(count, max(sub(count, 1), 1)));
  for (const [name, batch] of Object.entries({ running_mean: mean, running_var: unbiased })) {
    const running = scope.get(name, batch.type.shape as readonly number[]);
    training?.set(running, add(mul(running, 1 - momentum), mul(batch, momentum)));
  }
}

/** What inference multiplies each channel by and adds to it, both [channels]. */
export function inferenceScale(scope: WeightScope, channels: number, epsilon = 1e-5): { scale: Node; shift: Node } {
  const [weight, bias] = [scope.get("weight", [channels]), scope.get("bias", [channels])];
  const [mean, variance] = [scope.get("running_mean", [channels]), scope.get("running_var", [channels])];
  const scale = div(weight, sqrt(add(variance, epsilon)));
  return { scale, shift: sub(bias, mul(mean, scale)) };
}

/** The parameters to train: those that are not buffers. */
export function withoutBuffers(parameters: readonly Node[], buffers: BufferUpdates): readonly Node[] {
  return parameters.filter((parameter) => !buffers.has(parameter));
}
