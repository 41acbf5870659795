/** How good a small residual network is at images, beside a classic of scikit-learn that learns from the same ones. */
import {
  constant,
  crossEntropy,
  input,
  type Node,
  resNet,
  type Tensor,
  tinyResNet,
  type WeightScope,
} from "../../shared/engine/index.ts";
import type { TrainingContext } from "../../shared/engine/models/trainingContext.ts";
import { evaluate } from "../../shared/engine/training/evaluation.ts";
import { fit } from "../../shared/engine/training/fit.ts";
import { areaUnderCurve } from "../../shared/engine/training/metrics.ts";
import { predict } from "../../shared/engine/training/predict.ts";
import { whereDataIsSought } from "./dataSets.ts";
import { type GreyImages, imageBatch, readImages, type Scale, side, type Variation } from "./imagesData.ts";
import { type Estimator, scikitLearn } from "./scikitLearn.ts";
import type { Bench, Suite } from "./suite.ts";

interface Case {
  set: string;
  /** How the files of the rows to learn from, and of those to judge by, begin. */
  parts: readonly [train: string, test: string];
  classes: number;
  scale: Scale;
  epochs: number;
  learningRate: number;
  variation: Variation;
  /** Whether a rare class counts as much as a frequent one. */
  balanced: boolean;
  estimator: Estimator;
}

const cases: Case[] = [
  {
    set: "mnist",
    parts: ["train", "t10k"],
    classes: 10,
    scale: { mean: 0.13, deviation: 0.31 },
    epochs: 2,
    learningRate: 0.01,
    variation: { shift: 2, zoom: 0.1, turn: 0.1, brightness: 0 },
    balanced: false,
    estimator: "KNeighborsClassifier",
  },
  {
    set: "pneumoniamnist",
    parts: ["train", "test"],
    classes: 2,
    scale: { mean: 0.57, deviation: 0.17 },
    epochs: 12,
    learningRate: 0.005,
    variation: { shift: 1, zoom: 0.05, turn: 0.05, brightness: 0.1 },
    balanced: true,
    estimator: "SVC balanced",
  },
];

const [batch, seed] = [64, 1];
const none = { baseline: null, baseline_source: "none" };

export const images: Suite = async ({ emit, tell }) => {
  for (const one of cases) {
    const [train, test] = one.parts.map((part) => readImages(one.set, part));
    if (train && test) await compare(one, { train, test }, { emit, tell });
    else tell(`${one.set}: left out, it is not in ${whereDataIsSought}`);
  }
  return "done";
};

type Parts = Record<"train" | "test", GreyImages>;

async function compare(one: Case, parts: Parts, { emit, tell }: Bench): Promise<void> {
  const { logits, milliseconds } = await learn(one, parts, tell);
  const labels = Int32Array.from(parts.test.labels);
  const { accuracy } = evaluate({ logits, labels, classes: one.classes });
  tell(`${one.set}: ${(100 * accuracy).toFixed(2)} percent; now ${one.estimator}`);
  const theirs = await baselineOf(one, parts);
  const beside = (value: (found: NonNullable<typeof theirs>) => number) =>
    theirs
      ? { baseline: 100 * value(theirs), baseline_source: `${one.estimator}, scikit-learn ${theirs.version}` }
      : none;
  const right = (predictions: number[]) => predictions.filter((label, row) => label === labels[row]).length;
  const unit = "percent";
  emit({ case: one.set, value: 100 * accuracy, unit, ...beside((found) => right(found.predictions) / labels.length) });
  if (one.classes === 2) {
    const scores = Float32Array.from(labels, (_, row) => logits[2 * row + 1]! - logits[2 * row]!);
    const value = 100 * areaUnderCurve(scores, labels);
    emit({ case: `${one.set}/auc`, value, unit, ...beside((found) => areaUnderCurve(found.scores, labels)) });
  }
  emit({ case: `${one.set}/step`, value: milliseconds, unit: "milliseconds", ...none });
}

async function learn(one: Case, { train, test }: Parts, tell: Bench["tell"]) {
  const { set, classes, scale, epochs, learningRate, variation, balanced } = one;
  const image = input("image", ["batch", 1, side, side]);
  const shape = { ...tinyResNet, stem: { kernel: 3, stride: 2 }, labels: classes };
  const model = (scope: WeightScope, training?: TrainingContext) => resNet(scope, image, shape, training?.buffers);
  const weighting = balanced ? { classWeights: classWeights(train, classes) } : {};
  const start = performance.now();
  const { weights, steps } = await fit({
    model,
    loss: (logits) => crossEntropy(logits, input("labels", ["batch"], "int32"), undefined, weighting),
    rows: train.labels.length,
    batch,
    epochs,
    feeds: (rows, step) => imageBatch(train, rows, scale, { variation, step }),
    learningRate,
    warmup: 0.1,
    seed,
    watch: ({ step, totalSteps, loss }) => tell(`${set}: step ${step} of ${totalSteps}, loss ${loss.toFixed(3)}`),
  });
  const milliseconds = (performance.now() - start) / steps;
  const feeds = (rows: Int32Array) => imageBatch(test, rows, scale);
  const { data } = await predict({ model, weights, rows: test.labels.length, feeds });
  return { logits: data as Float32Array, milliseconds };
}

/** Such that all classes together count alike, and a row 1 on average. */
function classWeights({ labels }: GreyImages, classes: number): Node {
  const counts = new Float32Array(classes);
  for (const label of labels) counts[label]!++;
  return constant(
    counts.map((count) => labels.length / (classes * count)),
    [classes],
  );
}

/** By the grey values as they are, 0 to 1. */
function baselineOf({ estimator }: Case, { train, test }: Parts) {
  const flat = ({ pixels, labels }: GreyImages): Tensor => {
    return { shape: [labels.length, side * side], data: Float32Array.from(pixels, (value) => value / 255) };
  };
  return scikitLearn({ estimator, train: flat(train), targets: train.labels, test: flat(test), seed });
}
