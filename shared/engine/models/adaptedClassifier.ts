/** Imported bases as text classifiers: trained with a LoRA adapter and a head, which a resident base then serves. */
import { type Learner, type LearnerOptions, resolveAuto } from "../training/learner.ts";
import { createTextLearner } from "../training/textLearner.ts";
import { tensorsOf } from "../weights/tensors.ts";
import { adaptedGraph, adapterFor, firstData, frozenData, openEncoder } from "./adaptedBase.ts";
import type { Architecture } from "./architectures.ts";
import { readPretrained } from "./pretrained.ts";

/** Of an adapter of rank 8 with alpha 16; ten times what a base's own weights would take. */
const peakLearningRate = 5e-4;

export const adaptedArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) =>
    resolveAuto(requested, {
      n_epochs: Math.max(2, Math.min(10, Math.round(40_000 / Math.max(rows, 1)))),
      batch_size: 32,
    }),
  createLearner,
};

async function createLearner(options: LearnerOptions): Promise<Learner> {
  const { classes, seed, base } = options;
  if (base === null) throw new TypeError("a model over an imported base needs the base's directory");
  const [pretrained, { encode }] = await Promise.all([readPretrained(base), openEncoder(base)]);
  const adapter = adapterFor(pretrained.model);
  const graph = adaptedGraph(pretrained, classes, adapter);
  const learner = await createTextLearner(
    {
      logits: (dropoutSeed) => {
        const { logits, lora, head, body } = adaptedGraph(pretrained, classes, adapter, dropoutSeed);
        return { logits, parameters: [...lora.adapter.parameters, ...head, ...body] };
      },
      trained: tensorsOf([...graph.lora.adapter.parameters, ...graph.head], firstData(graph, seed)),
      frozen: frozenData(pretrained, graph),
      encode,
      peakLearningRate,
    },
    options,
  );
  return { ...learner, adapter };
}
