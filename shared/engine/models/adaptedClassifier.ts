/** Imported bases as text classifiers: trained with a LoRA adapter, served with the adapter merged. */
import type { Tensor } from "../dataTypes.ts";
import { toOnnx } from "../onnx.ts";
import { type Learner, type LearnerOptions, resolveAuto } from "../training/learner.ts";
import { createTextLearner } from "../training/textLearner.ts";
import { dataOf, tensorsOf } from "../weights/tensors.ts";
import { adaptedGraph, adapterConfig, firstData, frozenData, mergedData, openBase } from "./adaptedBase.ts";
import type { Architecture, Classifier, ClassifierOptions } from "./architectures.ts";
import { textInputs } from "./languageModel.ts";
import { buildModel } from "./pretrained.ts";
import { createTextClassifier } from "./textClassifier.ts";

/** Of an adapter of rank 8 with alpha 16; ten times what a base's own weights would take. */
const peakLearningRate = 5e-4;

export const adaptedArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) =>
    resolveAuto(requested, {
      n_epochs: Math.max(2, Math.min(10, Math.round(40_000 / Math.max(rows, 1)))),
      batch_size: 32,
    }),
  createLearner,
  createClassifier,
};

async function createLearner(options: LearnerOptions): Promise<Learner> {
  const { classes, seed } = options;
  const { pretrained, encode } = await openBase(requireBase(options.base));
  const graph = adaptedGraph(pretrained, classes, adapterConfig);
  const learner = await createTextLearner(
    {
      logits: (dropoutSeed) => {
        const { logits, lora, head, body } = adaptedGraph(pretrained, classes, adapterConfig, dropoutSeed);
        return { logits, parameters: [...lora.adapter.parameters, ...head, ...body] };
      },
      trained: tensorsOf([...graph.lora.adapter.parameters, ...graph.head], firstData(graph, seed)),
      frozen: frozenData(pretrained, graph),
      encode,
      peakLearningRate,
    },
    options,
  );
  return { ...learner, adapter: adapterConfig };
}

async function createClassifier(
  weights: ReadonlyMap<string, Tensor>,
  { classes, threads, base, adapter = adapterConfig }: ClassifierOptions,
): Promise<Classifier> {
  const { pretrained, encode, specialTokens } = await openBase(requireBase(base));
  const trained = dataOf<Float32Array>(Object.fromEntries(weights));
  const initializers = mergedData(pretrained, adaptedGraph(pretrained, classes, adapter), trained);
  const { output } = buildModel(pretrained.model, { head: "sequence", labels: classes }, { inputs: textInputs() });
  return createTextClassifier({
    ...{ model: toOnnx({ outputs: { logits: output }, initializers }), classes, threads, encode },
    isKnown: ({ length }) => length > specialTokens,
  });
}

function requireBase(directory: string | null): string {
  if (directory === null) throw new TypeError("a model over an imported base needs the base's directory");
  return directory;
}
