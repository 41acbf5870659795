/** The learner of every model over token ids: whatever its graph is, and whichever of its weights are trained. */
import type { TypedArray } from "../dataTypes.ts";
import { input, type Node } from "../graph.ts";
import type { Dropout } from "../layers/dropout.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { toOnnx } from "../onnx.ts";
import { adamw } from "../optimizers/adamw.ts";
import { clipByGlobalNorm } from "../optimizers/clip.ts";
import { chain } from "../optimizers/optimizer.ts";
import { schedule } from "../optimizers/schedules.ts";
import { mixSeeds } from "../random.ts";
import { memoryLimit } from "../runtime/memoryLimit.ts";
import { createSession } from "../runtime/session.ts";
import type { TrainingStepOptions } from "../trainingStep.ts";
import type { Tensors } from "./fitGraph.ts";
import type { Learner, LearnerOptions } from "./learner.ts";
import { createStepper } from "./stepper.ts";
import { logitsOf, padBatch, sortedRuns } from "./textBatches.ts";

export interface TextModel {
  /** float32 [batch, classes] from the inputs of `padBatch`, and the weights it reads; without `noise`, inference. */
  readonly logits: (noise?: Dropout["seed"]) => { logits: Node; parameters: readonly Node[] };
  /** First values of the weights that are trained. */
  readonly trained: Tensors;
  /** Those of the others. */
  readonly frozen: Readonly<Record<string, TypedArray>>;
  /** What is judged and stored in place of the trained weights, where that is another model made of them. */
  readonly served?: Served;
  /** At least one id. */
  readonly encode: (text: string) => Int32Array;
  readonly peakLearningRate: number;
}

export interface Served {
  /** As `TextModel.logits` for inference; reads its `frozen` weights and those of `weights`. */
  readonly logits: Node;
  readonly frozen: TextModel["frozen"];
  readonly weights: (trained: Tensors) => Tensors;
}

const maxGradientNorm = 1;

/** Throws MemoryError where one row does not fit into this process's memory. */
export async function createTextLearner(model: TextModel, options: LearnerOptions): Promise<Learner> {
  const { classes, threads, hyperparameters, seed } = options;
  // All at once: 10,000 short texts take a tenth of a second, and batches cannot be cut before lengths are known.
  const train = options.train.texts.map(model.encode);
  const valid = options.valid.texts.map(model.encode);
  const rows = Math.min(hyperparameters.batch_size, train.length);
  const sequence = train.reduce((most, { length }) => Math.max(most, length), 1);
  const stepper = await createStepper({
    step: stepOf(model),
    frozen: model.frozen,
    largest: { rows, bindings: { sequence } },
    memoryLimit: memoryLimit(),
    session: { threads },
  });
  const served = model.served ?? asTrained(model);
  const judge = await createSession(toOnnx({ outputs: { logits: served.logits }, initializers: served.frozen }), {
    threads,
  });
  const batches = sortedRuns(train, hyperparameters.batch_size, seed);
  const totalSteps = batches.perEpoch * hyperparameters.n_epochs;
  const rate = schedule("linear", {
    learningRate: model.peakLearningRate * hyperparameters.learning_rate_multiplier,
    warmupSteps: Math.floor(totalSteps / 20),
    totalSteps,
  });
  let carried: Tensors = { ...model.trained, ...stepper.initialState };
  const stored = () =>
    served.weights(Object.fromEntries(Object.keys(model.trained).map((name) => [name, carried[name]!])));

  /** What a step feeds; equal for all of its micro-batches but for the rows. */
  const feedsAt = (n: number) => (chosen: Int32Array) => ({
    ...padBatch(Array.from(chosen, (row) => train[row]!)),
    labels: { shape: [chosen.length], data: chosen.map((row) => options.train.labels[row]!) },
    learning_rate: { shape: [], data: Float32Array.of(rate(n)) },
    dropout_seed: { shape: [], data: Uint32Array.of(mixSeeds(seed, n)) },
  });

  return {
    totalSteps,
    isEvaluated: (n) => (n + 1) % batches.perEpoch === 0,
    async step(n) {
      const chosen = batches.rowsOf(n);
      const taken = await stepper.run(chosen, feedsAt(n), carried);
      carried = taken.carried;
      const tokens = chosen.reduce((sum, row) => sum + train[row]!.length, 0);
      return { loss: taken.values.loss!, accuracy: taken.values.accuracy!, tokens };
    },
    async validate() {
      const weights = stored();
      const logits = await logitsOf((batch) => judge.run({ ...batch, ...weights }), valid, classes);
      return { logits, labels: options.valid.labels, classes };
    },
    state: () => carried,
    restore(state) {
      carried = Object.fromEntries(Object.keys(carried).map((name) => [name, state[name]!]));
    },
    weights: stored,
    async release() {
      await Promise.all([stepper.release(), judge.release()]);
    },
  };
}

function stepOf(model: TextModel): TrainingStepOptions {
  const { logits, parameters } = model.logits(input("dropout_seed", [], "uint32"));
  const labels = input("labels", ["batch"], "int32");
  return {
    loss: crossEntropy(logits, labels),
    parameters: parameters.filter(({ name }) => Object.hasOwn(model.trained, name!)),
    optimizer: chain(
      clipByGlobalNorm(maxGradientNorm),
      adamw({ learningRate: input("learning_rate", []), weightDecay: 0.01 }),
    ),
    metrics: { accuracy: accuracy(logits, labels) },
  };
}

/** Trained weights are inputs; the others are part of it. */
function asTrained(model: TextModel): Served {
  return { logits: model.logits().logits, frozen: model.frozen, weights: (trained) => trained };
}
