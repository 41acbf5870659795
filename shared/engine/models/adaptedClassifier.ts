/** Imported bases as text classifiers: trained with a LoRA adapter and a head, which a resident base then serves. */
import { type Learner, type LearnerOptions, resolveAuto } from "../training/learner.ts";
import { adapterFor } from "./adaptedBase.ts";
import type { Architecture } from "./architectures.ts";
import { usualStrength } from "./logisticHead.ts";
import { openTextVectors } from "./textVectors.ts";
import { createTunedLearner } from "./tunedLearner.ts";

/** Of an adapter of rank 8 with alpha 16; ten times what a base's own weights would take. */
const peakLearningRate = 5e-4;

export const adaptedArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) =>
    resolveAuto(requested, {
      // Its head is fitted before the first step: a third pass over banking77 made nothing better.
      n_epochs: Math.max(2, Math.min(10, Math.round(20_000 / Math.max(rows, 1)))),
      batch_size: 32,
    }),
  createLearner,
};

async function createLearner(options: LearnerOptions): Promise<Learner> {
  if (options.base === null) throw new TypeError("a model over an imported base needs the base's directory");
  const vectors = await openTextVectors(options.base, options.threads);
  try {
    const adapter = adapterFor(vectors.pretrained.model);
    const over = { ...options, vectors, strength: usualStrength };
    return await createTunedLearner(over, { adapter, peakLearningRate });
  } finally {
    await vectors.release();
  }
}
