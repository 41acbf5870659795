/**
 * What several workers learned apart, as one step of an outer optimizer (DiLoCo, Douillard et al. 2023, algorithm 1): the
 * mean way they went is its gradient, and Nesterov momentum its memory.
 */
import { type Tensor, zerosTensor } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import type { Tensors } from "./replicaProtocol.ts";

export interface OuterState {
  /** Parameters, and buffers where the model has some. */
  readonly weights: Tensors;
  /** By parameter: the momentum. Buffers have none; they are averaged. */
  readonly velocity: Tensors;
}

export interface OuterOptions {
  /** Default 0.7, the paper's. With 1 and no momentum, the weights become the workers' mean. */
  readonly learningRate?: number;
  /** Default 0.9, the paper's. */
  readonly momentum?: number;
}

export function startOuter(parameters: readonly Node[], weights: Tensors): OuterState {
  const velocity = parameters.map(({ name, type }) => [name!, zerosTensor(type.shape as readonly number[])] as const);
  return { weights, velocity: Object.fromEntries(velocity) };
}

/** From the weights of the workers that finished, at least one, added up in their order. Throws RangeError. */
export function outerStep(
  { weights, velocity }: OuterState,
  finished: readonly Tensors[],
  { learningRate = 0.7, momentum = 0.9 }: OuterOptions = {},
): OuterState {
  if (finished.length === 0) throw new RangeError("an outer step needs at least one worker's weights");
  if (!(learningRate > 0)) throw new RangeError(`learningRate must be more than 0, not ${learningRate}`);
  if (!(momentum >= 0 && momentum < 1)) throw new RangeError(`momentum lies in [0, 1), not ${momentum}`);
  const next = Object.entries(weights).map(([name, before]) => {
    const means = meanOf(finished.map((worker) => worker[name] ?? missing(name)));
    const slow = velocity[name];
    const moved = slow
      ? nesterov(before, means, slow, { learningRate, momentum })
      : { weight: toTensor(before, means) };
    return { name, ...moved };
  });
  return {
    weights: Object.fromEntries(next.map(({ name, weight }) => [name, weight])),
    velocity: Object.fromEntries(next.flatMap((moved) => ("velocity" in moved ? [[moved.name, moved.velocity]] : []))),
  };
}

/**
 * With g = before - mean: v' = momentum v + g, and before - rate (g + momentum v'), written from the mean, so that rate 1
 * without momentum gives it exactly.
 */
function nesterov(before: Tensor, means: Float64Array, slow: Tensor, options: Required<OuterOptions>) {
  const { learningRate, momentum } = options;
  const [weight, velocity] = [new Float64Array(means.length), new Float64Array(means.length)];
  for (const [i, mean] of means.entries()) {
    const gradient = Number(before.data[i]) - mean;
    velocity[i] = momentum * Number(slow.data[i]) + gradient;
    const beyond = (learningRate - 1) * gradient + learningRate * momentum * velocity[i]!;
    // Also -0 stays what it is.
    weight[i] = beyond === 0 ? mean : mean - beyond;
  }
  return { weight: toTensor(before, weight), velocity: toTensor(before, velocity) };
}

function meanOf(tensors: readonly Tensor[]): Float64Array {
  const [first, ...others] = tensors;
  const sums = Float64Array.from(first!.data as Float32Array);
  for (const { data } of others) for (let i = 0; i < sums.length; i++) sums[i]! += Number(data[i]);
  return sums.map((sum) => sum / tensors.length);
}

const toTensor = ({ shape }: Tensor, values: Float64Array): Tensor => ({ shape, data: Float32Array.from(values) });

function missing(name: string): never {
  throw new RangeError(`a worker returned no weight "${name}"`);
}
