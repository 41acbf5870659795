/** Training `millrace-encoder-tiny`: all weights, from random ones. */
import { initialize } from "../layers/initialize.ts";
import type { Learner, LearnerOptions } from "../training/learner.ts";
import { createTextLearner } from "../training/textLearner.ts";
import { tensorsOf } from "../weights/tensors.ts";
import { encoderForward, encodeTokens } from "./encoderClassifier.ts";

const dropoutRate = 0.1;
/** For weights from nothing; pre-trained ones want a tenth of it. */
const peakLearningRate = 1e-3;

export function createEncoderLearner(options: LearnerOptions): Promise<Learner> {
  const { parameters } = encoderForward(options.classes);
  return createTextLearner(
    {
      logits: (seed) => encoderForward(options.classes, seed && { rate: dropoutRate, seed }),
      trained: tensorsOf(parameters, initialize(parameters, options.seed)),
      frozen: {},
      encode: encodeTokens,
      peakLearningRate,
    },
    options,
  );
}
