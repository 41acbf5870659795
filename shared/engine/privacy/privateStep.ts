/**
 * Training that bounds what any row can do to a model (DP-SGD, Abadi et al. 2016): each row's gradient, over all
 * parameters together, is clipped; their sum gets noise; and it is divided by a constant that does not depend on the data.
 */

import type { Tensor } from "../dataTypes.ts";
import { input, type Node, parameter } from "../graph.ts";
import { sqrt } from "../ops/activations.ts";
import { add, div, max, mul, square } from "../ops/elementwise.ts";
import { reshape, squeeze, unsqueeze } from "../ops/layout.ts";
import { matmul } from "../ops/matmul.ts";
import { reduceSum } from "../ops/reductions.ts";
import { zerosLike } from "../ops/shapes.ts";
import { slots } from "../optimizers/optimizer.ts";
import { elementCount } from "../shape.ts";
import { type Carried, newName, type TrainingStep, type TrainingStepOptions, zeroState } from "../trainingStep.ts";
import { perExampleGradients } from "./perExample.ts";
import type { SecretRandom } from "./secretRandom.ts";

export interface Privacy {
  /** C: no row's gradient is longer. Infinity leaves gradients alone, and then there can be no noise. */
  readonly clipNorm: number;
  /** The noise's standard deviation over C; 0 gives no privacy. */
  readonly noiseMultiplier: number;
  /**
   * What the sum is divided by: the sample rate times the number of rows, fixed before the data are looked at. The rows
   * that a batch really has would tell of the data.
   */
  readonly expectedBatch: number;
}

const slot = "clipped";
const lossSum = "clipped.loss";

export interface ClippedSumOptions {
  /** float32 [rows], of a symbolic length: each row's own loss. */
  readonly losses: Node;
  /** What is trained: heads and adapters. */
  readonly parameters: readonly Node[];
  readonly privacy: Privacy;
  /** float32 [rows]: 1, or 0 for rows that only fill a batch up. */
  readonly counted?: Node;
}

/**
 * Adds the clipped gradients of a micro-batch to what it carries, "clipped:name" per parameter; it is fed the parameters.
 * The loss is the sum over rows: like "clipped.loss" it is as secret as the rows. An empty batch has nothing to add and
 * is not run. Throws PrivacyError as `perExampleGradients`, RangeError for a privacy out of range.
 */
export function clippedSumStep({ losses, parameters, privacy, counted }: ClippedSumOptions): TrainingStep {
  requirePrivacy(privacy);
  const found = perExampleGradients(losses, parameters);
  const factors = clipFactors([...found.values()], privacy.clipNorm);
  const weights = counted ? mul(factors, counted) : factors;
  const loss = reduceSum(counted ? mul(losses, counted) : losses);
  const sums = accumulators(parameters);
  const added = new Map([
    ...parameters.map((target): [string, Node] => [`${slot}:${target.name}`, weighted(found.get(target)!, weights)]),
    [lossSum, loss],
  ]);
  const carried = Object.entries(sums).map(([name, before]) => ({
    name,
    before,
    after: add(before, added.get(name)!),
  }));
  return stepOf(loss, carried, zeroState(sums));
}

/** Per row, min(1, C / |g|). */
function clipFactors(gradients: readonly Node[], clipNorm: number): Node {
  const squares = gradients.map((gradient) => {
    return reduceSum(square(gradient), { axes: [...gradient.type.shape.keys()].slice(1) });
  });
  const total = squares.reduce((sum, part) => add(sum, part));
  if (clipNorm === Number.POSITIVE_INFINITY) return add(zerosLike(total), 1);
  return div(clipNorm, max(sqrt(total), clipNorm));
}

/** The sum over rows of weight times gradient, as one product: nothing of the gradients' size is written. */
function weighted(gradient: Node, weights: Node): Node {
  const [rows, ...shape] = gradient.type.shape;
  const sum = matmul(unsqueeze(weights, [0]), reshape(gradient, [rows!, elementCount(shape)]));
  return reshape(squeeze(sum, [0]), shape);
}

/**
 * One optimizer step with the noisy sum over `expectedBatch`; the sums come back as zeros. With noise it takes "noise:name"
 * per parameter (`noiseFeeds`). An empty batch is a step like any other. What it returns may be published, except its
 * loss, which has no noise.
 */
export function noisyStep({
  parameters,
  optimizer,
  privacy,
}: Pick<TrainingStepOptions, "parameters" | "optimizer"> & { readonly privacy: Privacy }): TrainingStep {
  const { clipNorm, noiseMultiplier, expectedBatch } = requirePrivacy(privacy);
  const sums = accumulators(parameters);
  const noisy = (target: Node) => {
    const sum = sums[`${slot}:${target.name}`]!;
    if (noiseMultiplier === 0) return sum;
    return add(sum, mul(input(noiseName(target), target.type.shape), noiseMultiplier * clipNorm));
  };
  const gradients = new Map(parameters.map((target) => [target, div(noisy(target), expectedBatch)]));
  const state = optimizer.init(parameters);
  const update = optimizer.update(gradients, state, parameters);
  const carried = [
    ...parameters.map((before) => ({ name: before.name!, before, after: add(before, update.updates.get(before)!) })),
    ...Object.entries(state).map(([name, before]) => ({ name, before, after: update.state[name]! })),
    ...Object.entries(sums).map(([name, before]) => ({ name, before, after: zerosLike(before) })),
  ];
  return stepOf(div(sums[lossSum]!, expectedBatch), carried, zeroState({ ...state, ...sums }));
}

/** Fresh noise for one step, to be used once. */
export function noiseFeeds(parameters: readonly Node[], random: SecretRandom): Record<string, Tensor> {
  return Object.fromEntries(
    parameters.map((target) => {
      const shape = target.type.shape as readonly number[];
      return [noiseName(target), { shape, data: random.normals(elementCount(shape)) }];
    }),
  );
}

const noiseName = (target: Node) => `noise:${target.name}`;

function accumulators(parameters: readonly Node[]): Record<string, Node> {
  return { ...slots(slot, parameters), [lossSum]: parameter(lossSum, []) };
}

function stepOf(loss: Node, carried: readonly Carried[], initialState: Record<string, Tensor>): TrainingStep {
  const next = Object.fromEntries(carried.map(({ name, after }) => [newName(name), after]));
  return { carried, initialState, loss, metrics: {}, outputs: { loss, ...next } };
}

function requirePrivacy(privacy: Privacy): Privacy {
  const { clipNorm, noiseMultiplier, expectedBatch } = privacy;
  if (!(clipNorm > 0)) throw new RangeError(`clipNorm must be more than 0, not ${clipNorm}`);
  if (!(noiseMultiplier >= 0 && Number.isFinite(noiseMultiplier * clipNorm || 0))) {
    throw new RangeError(`noiseMultiplier (${noiseMultiplier}) times clipNorm (${clipNorm}) must be finite`);
  }
  if (clipNorm === Number.POSITIVE_INFINITY && noiseMultiplier > 0) {
    throw new RangeError("noise hides nothing of gradients that are not clipped: clipNorm must be finite");
  }
  if (!(expectedBatch > 0 && Number.isFinite(expectedBatch))) {
    throw new RangeError(`expectedBatch must be a positive number, not ${expectedBatch}`);
  }
  return privacy;
}
