/** `millrace-encoder-tiny`: a two-layer transformer over hashed tokens, trained whole from random weights, and served. */
import type { Tensor } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import type { Dropout } from "../layers/dropout.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { hashText, mix } from "../text/hashing.ts";
import { tokenize } from "../text/tokens.ts";
import { resolveAuto } from "../training/learner.ts";
import { padding } from "../training/textBatches.ts";
import { dataOf } from "../weights/tensors.ts";
import type { Architecture, Classifier, ClassifierOptions } from "./architectures.ts";
import { classifier, type EncoderConfig, encoderInputs, tinyEncoder } from "./encoder.ts";
import { createEncoderLearner } from "./encoderLearner.ts";
import { createTextClassifier } from "./textClassifier.ts";

/** Rows of the token table. Without a vocabulary file any script has tokens; 16,384 keep collisions of frequent words rare. */
export const tinyConfig: EncoderConfig = { ...tinyEncoder, vocabulary: 16_384 };

/** Ids of a text's first `maxPositions` tokens; a text without tokens is one padding token. */
export function encodeTokens(text: string): Int32Array {
  const ids: number[] = [];
  for (const token of tokenize(text)) {
    ids.push(1 + (mix(hashText(token.text)) % (tinyConfig.vocabulary - 1)));
    if (ids.length === tinyConfig.maxPositions) break;
  }
  return Int32Array.from(ids.length ? ids : [padding]);
}

/** The weights the architecture asks for, and its logits float32 [batch, classes]. */
export function encoderForward(classes: number, noise?: Dropout): { logits: Node; parameters: readonly Node[] } {
  const scope = new WeightScope();
  const logits = classifier(scope, encoderInputs(), { ...tinyConfig, labels: classes }, noise);
  return { logits, parameters: scope.parameters };
}

export const encoderArchitecture: Architecture = {
  resolveHyperparameters: (requested, { rows }) =>
    resolveAuto(requested, {
      n_epochs: Math.max(2, Math.min(10, Math.round(60_000 / Math.max(rows, 1)))),
      batch_size: 32,
    }),
  createLearner: createEncoderLearner,
  createClassifier,
};

async function createClassifier(
  weights: ReadonlyMap<string, Tensor>,
  { classes, threads }: ClassifierOptions,
): Promise<Classifier> {
  const { logits } = encoderForward(classes);
  const initializers = dataOf(Object.fromEntries(weights));
  return createTextClassifier({
    ...{ model: toOnnx({ outputs: { logits }, initializers }), classes, threads, encode: encodeTokens },
    isKnown: ([first]) => first !== padding,
  });
}
