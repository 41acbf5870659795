/**
 * An imported base tuned through an adapter. The head starts where it would end over the base as it is, so that the first
 * steps do not spoil what the base knows (Kumar et al. 2022, "Fine-Tuning can Distort Pretrained Features").
 */
import type { LoraConfig } from "../layers/lora.ts";
import type { Learner } from "../training/learner.ts";
import { createTextLearner } from "../training/textLearner.ts";
import { dataOf, tensorsOf } from "../weights/tensors.ts";
import { adaptedGraph, firstData, frozenData } from "./adaptedBase.ts";
import { headOverBase, headWeights, type OverVectors } from "./frozenLearner.ts";
import { fitHead } from "./logisticHead.ts";

export interface Tuning {
  readonly adapter: LoraConfig;
  readonly peakLearningRate: number;
}

export async function createTunedLearner(options: OverVectors, tuning: Tuning): Promise<Learner> {
  const { classes, seed, vectors } = options;
  const { pretrained, encoder } = vectors;
  const { adapter, peakLearningRate } = tuning;
  const head = await fitHead(...(await headOverBase(options)));
  const graph = adaptedGraph(pretrained, classes, adapter);
  const first = { ...firstData(graph, seed), ...dataOf<Float32Array>(headWeights(head)) };
  const learner = await createTextLearner(
    {
      logits: (dropoutSeed) => {
        const { logits, lora, head, body } = adaptedGraph(pretrained, classes, adapter, dropoutSeed);
        return { logits, parameters: [...lora.adapter.parameters, ...head, ...body] };
      },
      trained: tensorsOf([...graph.lora.adapter.parameters, ...graph.head], first),
      frozen: frozenData(pretrained, graph),
      encode: encoder.encode,
      peakLearningRate,
    },
    options,
  );
  return { ...learner, adapter };
}
