/** Training `millrace-encoder-tiny`: all weights, AdamW, batches of texts of like length. */
import type { Tensor } from "../dataTypes.ts";
import { input } from "../graph.ts";
import { initialize } from "../layers/initialize.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { adamw } from "../optimizers/adamw.ts";
import { clipByGlobalNorm } from "../optimizers/clip.ts";
import { chain } from "../optimizers/optimizer.ts";
import { schedule } from "../optimizers/schedules.ts";
import { mixSeeds, permutation } from "../random.ts";
import { createSession } from "../runtime/session.ts";
import type { Learner, LearnerOptions } from "../training/learner.ts";
import { carryOver, type TrainingStep, trainingStep } from "../trainingStep.ts";
import { classifier, encoderInputs } from "./encoder.ts";
import { encoderForward, encodeTokens, logitsOf, padBatch, tinyConfig } from "./encoderClassifier.ts";

const dropoutRate = 0.1;
/** For weights from nothing; pre-trained ones want a tenth of it. */
const peakLearningRate = 1e-3;
const maxGradientNorm = 1;
/**
 * Batches are cut from runs of so many batches sorted by length, so that little is padding and order stays random.
 * `lengthBatches` pads less, but learned ag_news worse: see the engine's README.
 */
const batchesPerRun = 16;
export async function createEncoderLearner(options: LearnerOptions): Promise<Learner> {
  const { classes, threads, hyperparameters, seed } = options;
  const graph = stepGraph(classes);
  const forward = encoderForward(classes);
  const [stepper, judge] = await Promise.all([
    createSession(toOnnx({ outputs: graph.step.outputs }), { threads }),
    createSession(toOnnx({ outputs: { logits: forward.logits } }), { threads }),
  ]);
  // All at once: 10,000 short texts take a tenth of a second, and batches cannot be cut before lengths are known.
  const train = options.train.texts.map(encodeTokens);
  const valid = options.valid.texts.map(encodeTokens);
  const stepsPerEpoch = Math.ceil(train.length / hyperparameters.batch_size);
  const totalSteps = stepsPerEpoch * hyperparameters.n_epochs;
  const rate = schedule("linear", {
    learningRate: peakLearningRate * hyperparameters.learning_rate_multiplier,
    warmupSteps: Math.floor(totalSteps / 20),
    totalSteps,
  });
  const weightNames = forward.parameters.map(({ name }) => name!);
  let carried: Record<string, Tensor> = { ...initialTensors(graph, seed), ...graph.step.initialState };
  let order: { epoch: number; batches: Int32Array[] } | undefined;

  const batchOf = (n: number): Int32Array => {
    const epoch = Math.floor(n / stepsPerEpoch);
    if (order?.epoch !== epoch) {
      order = { epoch, batches: batchesOfEpoch(train, hyperparameters.batch_size, seed, epoch) };
    }
    return order.batches[n % stepsPerEpoch]!;
  };
  const weightsOnly = () => Object.fromEntries(weightNames.map((name) => [name, carried[name]!]));

  return {
    totalSteps,
    isEvaluated: (n) => (n + 1) % stepsPerEpoch === 0,
    async step(n) {
      const rows = [...batchOf(n)];
      const texts = rows.map((row) => train[row]!);
      const results = await stepper.run({
        ...padBatch(texts),
        labels: { shape: [rows.length], data: Int32Array.from(rows, (row) => options.train.labels[row]!) },
        learning_rate: { shape: [], data: Float32Array.of(rate(n)) },
        dropout_seed: { shape: [], data: Uint32Array.of(mixSeeds(seed, n)) },
        ...carried,
      });
      carried = carryOver(graph.step, results);
      return {
        loss: results.loss!.data[0] as number,
        accuracy: results.accuracy!.data[0] as number,
        tokens: texts.reduce((sum, { length }) => sum + length, 0),
      };
    },
    async validate() {
      const weights = weightsOnly();
      const logits = await logitsOf((batch) => judge.run({ ...batch, ...weights }), valid, classes);
      return { logits, labels: options.valid.labels, classes };
    },
    state: () => carried,
    restore(state) {
      carried = Object.fromEntries(Object.keys(carried).map((name) => [name, state[name]!]));
    },
    weights: weightsOnly,
    async release() {
      await Promise.all([stepper.release(), judge.release()]);
    },
  };
}

interface StepGraph {
  step: TrainingStep;
  parameters: WeightScope["parameters"];
}

function stepGraph(classes: number): StepGraph {
  const scope = new WeightScope();
  const noise = { rate: dropoutRate, seed: input("dropout_seed", [], "uint32") };
  const logits = classifier(scope, encoderInputs(), { ...tinyConfig, labels: classes }, noise);
  const labels = input("labels", ["batch"], "int32");
  const optimizer = chain(
    clipByGlobalNorm(maxGradientNorm),
    adamw({ learningRate: input("learning_rate", []), weightDecay: 0.01 }),
  );
  const metrics = { accuracy: accuracy(logits, labels) };
  const parameters = scope.parameters;
  return { step: trainingStep({ loss: crossEntropy(logits, labels), parameters, optimizer, metrics }), parameters };
}

function initialTensors({ parameters }: StepGraph, seed: number): Record<string, Tensor> {
  const data = initialize(parameters, seed);
  return Object.fromEntries(
    parameters.map(({ name, type }) => [name!, { shape: type.shape as number[], data: data[name!]! }]),
  );
}

function batchesOfEpoch(texts: readonly Int32Array[], size: number, seed: number, epoch: number): Int32Array[] {
  const order = permutation(texts.length, seed, 2 * epoch);
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += size * batchesPerRun) {
    const run = order.slice(start, start + size * batchesPerRun).sort((a, b) => texts[a]!.length - texts[b]!.length);
    for (let at = 0; at < run.length; at += size) batches.push(run.slice(at, at + size));
  }
  return Array.from(permutation(batches.length, seed, 2 * epoch + 1), (index) => batches[index]!);
}
