/** Training from the first step to the last, with progress, and a stop where validation no longer improves. */

import type { Tensors } from "./fitGraph.ts";
import { createFitter, type Fitter, type FitterOptions } from "./fitter.ts";

/** Where a fit stands; told a few dozen times in its course and after each validation. */
export interface FitProgress {
  /** Steps done. */
  readonly step: number;
  readonly totalSteps: number;
  /** The mean over the steps since it was last told. */
  readonly loss: number;
  /** What `validate` gave, where it was just asked. */
  readonly score?: number;
}

export interface FitOptions extends FitterOptions {
  /** How good weights are, the higher the better: asked after each epoch, and the best weights are kept. */
  readonly validate?: (weights: Tensors) => Promise<number>;
  /** Epochs without a better score after which the fit ends. Default: never. */
  readonly patience?: number;
  readonly watch?: (progress: FitProgress) => void;
  /** Ends the fit between two calls by throwing its reason. */
  readonly signal?: AbortSignal;
}

export interface Fitted {
  /** Of the best epoch where there is validation, otherwise of the last one. */
  readonly weights: Tensors;
  readonly steps: number;
  /** The score of the weights; absent without validation. */
  readonly score?: number;
}

/** Calls between two tellings. */
const callsPerTelling = 50;

/** Throws as `createFitter`, and what `validate` throws. */
export async function fit(options: FitOptions): Promise<Fitted> {
  const { validate, patience = Number.POSITIVE_INFINITY, watch = () => {} } = options;
  const fitter = await createFitter(options);
  const { stepsPerEpoch, totalSteps } = fitter;
  let best: { fitted: Fitted; epoch: number } | undefined;
  try {
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      const steps = (epoch + 1) * stepsPerEpoch;
      const loss = await runEpoch(fitter, epoch, options);
      if (!validate) continue;
      const weights = fitter.weights();
      const score = await validate(weights);
      watch({ step: steps, totalSteps, loss, score });
      if (!best || score > best.fitted.score!) best = { fitted: { weights, steps, score }, epoch };
      if (epoch - best.epoch >= patience) break;
    }
    return best?.fitted ?? { weights: fitter.weights(), steps: totalSteps };
  } finally {
    await fitter.release();
  }
}

/** Gives the loss it last told. */
async function runEpoch(fitter: Fitter, epoch: number, options: FitOptions): Promise<number> {
  const { watch = () => {}, signal, stepsPerCall = 1 } = options;
  const { stepsPerEpoch, totalSteps } = fitter;
  const end = (epoch + 1) * stepsPerEpoch;
  let loss = Number.NaN;
  for (let step = end - stepsPerEpoch; step < end; ) {
    const losses: number[] = [];
    for (let call = 0; call < callsPerTelling && step < end; call++) {
      signal?.throwIfAborted();
      const next = Math.min(step + stepsPerCall, end);
      losses.push(...(await fitter.advance(step, next)));
      step = next;
    }
    loss = losses.reduce((sum, value) => sum + value, 0) / losses.length;
    watch({ step, totalSteps, loss });
  }
  return loss;
}
