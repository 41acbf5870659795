/** How often a small convolutional network tells which digit was spoken, beside support vectors on the same features. */
import { performance } from "node:perf_hooks";
import { audioCnn, crossEntropy, input, type WeightScope } from "../../shared/engine/index.ts";
import type { TrainingContext } from "../../shared/engine/models/trainingContext.ts";
import { evaluate } from "../../shared/engine/training/evaluation.ts";
import { fit } from "../../shared/engine/training/fit.ts";
import { predict } from "../../shared/engine/training/predict.ts";
import { bands, frames, type Recording, readRecordings, recordingBatch } from "./audioData.ts";
import { whereDataIsSought } from "./dataSets.ts";
import { scikitLearn } from "./scikitLearn.ts";
import type { Bench, Suite } from "./suite.ts";

const classes = 10;
const seed = 1;
const mel = input("mel", ["batch", bands, frames]);
const model = (scope: WeightScope, training?: TrainingContext) =>
  audioCnn(scope, mel, { widths: [64, 64, 128], labels: classes }, training);

export const audio: Suite = async ({ emit, tell }) => {
  const start = performance.now();
  const [train, test] = [readRecordings("train"), readRecordings("test")];
  if (!train || !test) {
    tell(`fsdd: left out, it is not in ${whereDataIsSought}`);
    return "done";
  }
  const perSecond = (train.length + test.length) / ((performance.now() - start) / 1000);
  tell(`fsdd: ${train.length} recordings to learn from, ${test.length} to judge by`);
  const labels = Int32Array.from(test, ({ digit }) => digit);
  const { accuracy } = evaluate({ logits: await learn(train, test, tell), labels, classes });
  const theirs = await baselineOf(train, test);
  const right = theirs?.predictions.filter((digit, row) => digit === labels[row]).length;
  emit({
    case: "fsdd",
    value: 100 * accuracy,
    unit: "percent",
    baseline: theirs ? (100 * right!) / labels.length : null,
    baseline_source: theirs ? `SVC on the same features, scikit-learn ${theirs.version}` : "none",
  });
  emit({ case: "fsdd/features", value: perSecond, unit: "per second", baseline: null, baseline_source: "none" });
  return "done";
};

async function learn(train: Recording[], test: Recording[], tell: Bench["tell"]): Promise<Float32Array> {
  const { weights } = await fit({
    model,
    loss: (logits) => crossEntropy(logits, input("labels", ["batch"], "int32"), undefined, { labelSmoothing: 0.1 }),
    rows: train.length,
    batch: 32,
    epochs: 30,
    feeds: (rows, step) => recordingBatch(train, rows, step),
    learningRate: 3e-3,
    warmup: 0.1,
    dropout: 0.1,
    seed,
    watch: ({ step, totalSteps, loss }) => tell(`fsdd: step ${step} of ${totalSteps}, loss ${loss.toFixed(3)}`),
  });
  const feeds = (rows: Int32Array) => recordingBatch(test, rows);
  return (await predict({ model, weights, rows: test.length, feeds })).data as Float32Array;
}

function baselineOf(train: Recording[], test: Recording[]) {
  const flat = (set: Recording[]) => {
    const { data } = recordingBatch(set, Int32Array.from(set.keys())).mel!;
    return { shape: [set.length, bands * frames], data };
  };
  const targets = train.map(({ digit }) => digit);
  return scikitLearn({ estimator: "SVC", train: flat(train), targets, test: flat(test), seed });
}
