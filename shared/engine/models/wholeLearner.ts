/**
 * An imported base tuned whole: every linear layer's own weights learn, with a head. What they have learned is stored as
 * the adapter nearest to it, so that the model is a row among others of its base, as all are; it is judged as it is stored.
 */
import { nearestLora } from "../layers/nearestLora.ts";
import type { Learner } from "../training/learner.ts";
import { createTextLearner } from "../training/textLearner.ts";
import { dataOf, tensorsOf } from "../weights/tensors.ts";
import { adaptedGraph, frozenData, wholeGraph } from "./adaptedBase.ts";
import { headOverBase, headWeights, type OverVectors } from "./frozenLearner.ts";
import { fitHead } from "./logisticHead.ts";
import type { Tuning } from "./tunedLearner.ts";

export async function createWholeLearner(options: OverVectors, tuning: Tuning): Promise<Learner> {
  const { classes, vectors } = options;
  const { pretrained, encoder } = vectors;
  const { adapter, peakLearningRate } = tuning;
  const adapted = adaptedGraph(pretrained, classes, adapter);
  const { lora } = adapted;
  const base = frozenData(pretrained, adapted);
  const head = dataOf<Float32Array>(headWeights(await fitHead(...(await headOverBase(options)))));
  const layers = new Set(lora.placements.map(({ path }) => `${path}.weight`));
  const graph = wholeGraph(pretrained, classes);
  const learner = await createTextLearner(
    {
      logits: () => {
        const { logits, head, body } = wholeGraph(pretrained, classes);
        return { logits, parameters: [...body, ...head] };
      },
      trained: tensorsOf([...graph.body.filter(({ name }) => layers.has(name!)), ...graph.head], { ...base, ...head }),
      frozen: Object.fromEntries(Object.entries(base).filter(([name]) => !layers.has(name))),
      served: {
        logits: adapted.logits,
        frozen: base,
        weights(trained) {
          const data = dataOf<Float32Array>(trained);
          const near = nearestLora(base, data, lora);
          return tensorsOf([...lora.adapter.parameters, ...adapted.head], { ...data, ...near });
        },
      },
      encode: encoder.encode,
      peakLearningRate,
    },
    options,
  );
  return { ...learner, isEvaluated: (n) => n + 1 === learner.totalSteps, adapter };
}
