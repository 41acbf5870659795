/**
 * Training `millrace-tabular`: an additive model and a perceptron learn from the same rows side by side, and the one
 * that says more of the validation rows is kept.
 */
import type { Tensor } from "../dataTypes.ts";
import { input, type Node } from "../graph.ts";
import { type BufferUpdates, withoutBuffers } from "../layers/batchNorm.ts";
import { initializeByFan } from "../layers/initializeByFan.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { squaredNorm } from "../layers/lossesMargin.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { add, mul } from "../ops/elementwise.ts";
import { adamw } from "../optimizers/adamw.ts";
import { chain } from "../optimizers/optimizer.ts";
import { schedule } from "../optimizers/schedules.ts";
import { averageWeights, scaleUpdates } from "../optimizers/transforms.ts";
import { mixSeeds, permutation } from "../random.ts";
import { createSession, type Session } from "../runtime/session.ts";
import { epochByEpoch } from "../training/batches.ts";
import { fitTemperature, type LabelledLogits, negativeLogLikelihood } from "../training/evaluation.ts";
import type { Examples } from "../training/examples.ts";
import type { Learner, LearnerOptions } from "../training/learner.ts";
import { carryOver, type TrainingStep, trainingStep } from "../trainingStep.ts";
import { tensorsOf } from "../weights/tensors.ts";
import { type TabularConfig, tabularInputs } from "./tabular.ts";
import { type EncodedExamples, encodeExamples, meanRow } from "./tabularExamples.ts";
import { type TabularModelName, tabularConfig, tabularModels } from "./tabularModels.ts";

const names = Object.keys(tabularModels) as TabularModelName[];

const dropout = 0.5;
/** The perceptron's; a convex problem may take larger steps. */
const peakLearningRate = 2e-3;
const additiveFactor = 5;
/** Decay of the moving average of the weights, which is what is kept. */
const averaged = 0.95;
/** Rows of a call that learns nothing. */
const judgedRows = 1024;

export async function createTabularLearner(options: LearnerOptions): Promise<Learner> {
  const { classes, hyperparameters, seed, threads } = options;
  const { encoding, train, valid } = encodeExamples(options.train, options.valid);
  const config = tabularConfig(encoding, classes);
  const { step, first } = stepOf(config, options.train.labels.length, seed);
  const [stepper, judge] = await Promise.all([
    createSession(toOnnx({ outputs: step.outputs }), { threads }),
    createSession(judgeOf(config), { threads }),
  ]);
  const batches = wholeBatches(options.train, hyperparameters.batch_size, seed);
  const totalSteps = batches.perEpoch * hyperparameters.n_epochs;
  const rate = schedule("cosine", {
    learningRate: peakLearningRate * hyperparameters.learning_rate_multiplier,
    warmupSteps: Math.floor(totalSteps / 20),
    totalSteps,
  });
  let carried: Record<string, Tensor> = first;
  let leader: TabularModelName = "additive";
  const isOf = (model: string) => (name: string) => name.startsWith(`${model}.`);
  const weightsOf = (chosen: (name: string) => boolean) =>
    Object.fromEntries(
      Object.keys(first)
        .filter(chosen)
        .map((name) => [name, carried[`average:${name}`] ?? carried[name]!]),
    );

  return {
    totalSteps,
    isEvaluated: (n) => (n + 1) % batches.perEpoch === 0,
    async step(n) {
      const rows = batches.rowsOf(n);
      const results = await stepper.run({
        ...train.inputs(rows),
        labels: { shape: [rows.length], data: rows.map((row) => options.train.labels[row]!) },
        learning_rate: { shape: [], data: Float32Array.of(rate(n)) },
        dropout_seed: { shape: [], data: Uint32Array.of(mixSeeds(seed, n)) },
        ...carried,
      });
      carried = carryOver(step, results);
      const found = (metric: string) => results[`${leader}_${metric}`]!.data[0] as number;
      const tokens = rows.reduce((sum, row) => sum + train.cells[row]!, 0);
      return { loss: found("loss"), accuracy: found("accuracy"), tokens };
    },
    async validate() {
      const weights = weightsOf((name) => names.some((model) => isOf(model)(name)));
      const judged = await judgeRows(judge, { examples: valid, weights, labels: options.valid.labels, classes });
      if (options.valid.labels.length)
        leader = names.reduce((a, b) => (surprise(judged[b]) < surprise(judged[a]) ? b : a));
      return judged[leader];
    },
    state: () => ({ ...carried, leader: { shape: [], data: Int32Array.of(names.indexOf(leader)) } }),
    restore(state) {
      carried = Object.fromEntries(Object.keys(carried).map((name) => [name, state[name]!]));
      leader = names[state.leader!.data[0] as number]!;
    },
    get table() {
      return { encoding, model: leader };
    },
    weights: () => ({ ...weightsOf(isOf(leader)), mean_row: meanRow(train, config) }),
    async release() {
      await Promise.all([stepper.release(), judge.release()]);
    },
  };
}

/** The rows of each step: rows left over behind an epoch's last full batch are left out, as few of them mislead a batch norm. */
function wholeBatches({ labels: { length } }: Examples, batch: number, seed: number) {
  const size = Math.min(batch, length);
  return epochByEpoch(Math.floor(length / size), (epoch) => {
    const order = permutation(length, seed, epoch);
    return Array.from({ length: Math.floor(length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));
  });
}

/** Both models in one step: no weight is of both, so each learns as if alone. */
function stepOf(
  config: TabularConfig,
  rows: number,
  seed: number,
): { step: TrainingStep; first: Record<string, Tensor> } {
  const inputs = tabularInputs(config);
  const labels = input("labels", ["batch"], "int32");
  const [scope, buffers]: [WeightScope, BufferUpdates] = [new WeightScope(), new Map()];
  const training = { buffers, dropout: { rate: dropout, seed: input("dropout_seed", [], "uint32") } };
  const metrics: Record<string, Node> = {};
  for (const name of names) {
    const logits = tabularModels[name](scope, inputs, config, training);
    metrics[`${name}_loss`] = crossEntropy(logits, labels);
    metrics[`${name}_accuracy`] = accuracy(logits, labels);
  }
  const isAdditive = ({ name }: Node) => name!.startsWith("additive.");
  const matrices = scope.parameters.filter((parameter) => isAdditive(parameter) && parameter.type.shape.length > 1);
  // scikit-learn's strength: half the squared norm beside the sum of losses.
  const penalty = mul(squaredNorm(matrices), 0.5 / rows);
  const optimizer = chain(
    adamw({ learningRate: input("learning_rate", []) }),
    scaleUpdates((parameter) => (isAdditive(parameter) ? additiveFactor : 1)),
    averageWeights(averaged),
  );
  const step = trainingStep({
    loss: names.map((name) => metrics[`${name}_loss`]!).reduce((sum, loss) => add(sum, loss), penalty),
    parameters: withoutBuffers(scope.parameters, buffers),
    optimizer,
    buffers,
    metrics,
  });
  return {
    step,
    first: { ...tensorsOf(scope.parameters, initializeByFan(scope.parameters, seed)), ...step.initialState },
  };
}

/** Both models' logits; weights are inputs. */
function judgeOf(config: TabularConfig): Uint8Array {
  const [inputs, scope] = [tabularInputs(config), new WeightScope()];
  return toOnnx({
    outputs: Object.fromEntries(names.map((name) => [name, tabularModels[name](scope, inputs, config)])),
  });
}

interface Judged {
  examples: EncodedExamples;
  weights: Record<string, Tensor>;
  labels: Int32Array;
  classes: number;
}

async function judgeRows(
  session: Session,
  { examples, weights, labels, classes }: Judged,
): Promise<Record<TabularModelName, LabelledLogits>> {
  const empty = () => ({ logits: new Float32Array(labels.length * classes), labels, classes });
  const judged: Record<TabularModelName, LabelledLogits> = { additive: empty(), perceptron: empty() };
  for (let start = 0; start < labels.length; start += judgedRows) {
    const rows = Int32Array.from({ length: Math.min(judgedRows, labels.length - start) }, (_, i) => start + i);
    const results = await session.run({ ...examples.inputs(rows), ...weights });
    for (const name of names) judged[name].logits.set(results[name]!.data as Float32Array, start * classes);
  }
  return judged;
}

/** Of the labels, in nats a row, once the temperature is fitted. */
function surprise(judged: LabelledLogits): number {
  return negativeLogLikelihood(judged, fitTemperature(judged));
}
