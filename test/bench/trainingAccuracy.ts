/**
 * What int8 costs in accuracy: a small encoder learns from nothing on one set of texts, is frozen, and gets adapters and
 * a head for another set, over float32 and over int8.
 */
import {
  adamw,
  carryOver,
  chain,
  classifier,
  clipByGlobalNorm,
  crossEntropy,
  encoderInputs,
  initialize,
  initializeLora,
  input,
  type Model,
  mergeLora,
  type Node,
  schedule,
  type Tensor,
  type TrainingStep,
  toOnnx,
  trainingStep,
  WeightScope,
  withLora,
} from "../../shared/engine/index.ts";
import { tinyConfig } from "../../shared/engine/models/encoderClassifier.ts";
import { int8Model, int8Step } from "../../shared/engine/quantization/frozenInt8.ts";
import { keepWorseThan, productErrors } from "../../shared/engine/quantization/productErrors.ts";
import { createSession } from "../../shared/engine/runtime/session.ts";
import type { DataSet } from "./dataSets.ts";
import type { Bench } from "./suite.ts";
import { threads } from "./trainingStepper.ts";
import { alike, answersOf, batch, batchesOf, encode, fed } from "./trainingTexts.ts";

type Data = Readonly<Record<string, Float32Array>>;
type Precision = "float32" | "int8";

const pretraining = { epochs: 6, learningRate: 2e-3 };
const tuning = { epochs: 5, learningRate: 4e-3 };
const lora = { rank: 8, alpha: 16, dropout: 0, targets: "all-linear" } as const;
/** Matrices whose products are further off on the first batch stay float32. */
const tolerated = 0.1;

interface Found {
  /** Percent of the texts that are answered right, for each seed, by what learned over either base. */
  readonly float32: number[];
  readonly int8: number[];
  /** Percent of the texts that a model answers alike with its own matrices and tables as int8. */
  readonly agreement: number[];
}

export async function int8Accuracy(source: DataSet, target: DataSet, seeds: readonly number[], tell: Bench["tell"]) {
  const body = await pretrain(source, tell);
  const found: Found = { float32: [], int8: [], agreement: [] };
  for (const seed of seeds) {
    for (const precision of ["float32", "int8"] as const) {
      const model = await adapt(body, target, { seed, precision, tell });
      const answers = await answersOf(model, target);
      const percent = alike(
        answers,
        target.test.map(({ label }) => label),
      );
      tell(`accuracy: seed ${seed} over ${precision}, ${percent.toFixed(2)} % right`);
      found[precision].push(percent);
      if (precision === "float32") {
        found.agreement.push(alike(answers, await answersOf(int8Model(model, { tables: true }), target)));
      }
    }
  }
  return found;
}

/** The weights of an encoder that has learned `set`, less its head. */
async function pretrain(set: DataSet, tell: Bench["tell"]): Promise<Data> {
  const scope = new WeightScope();
  const logits = classifier(scope, encoderInputs(), { ...tinyConfig, labels: set.labels.length });
  const { parameters } = scope;
  const weights = await learn(stepFor(logits, parameters), {}, initialize(parameters, 1), {
    ...pretraining,
    set,
    seed: 1,
    tell,
  });
  const answers = await answersOf({ outputs: { logits }, initializers: weights }, set);
  const percent = alike(
    answers,
    set.test.map(({ label }) => label),
  );
  tell(`accuracy: the base, trained from nothing on ${set.train.length} texts, is right about ${percent.toFixed(1)} %`);
  return Object.fromEntries(Object.entries(weights).filter(([name]) => !name.startsWith("classifier.")));
}

interface Adaptation {
  readonly seed: number;
  readonly precision: Precision;
  readonly tell: Bench["tell"];
}

/** What was learned, merged into the exact base, whatever the base was while it learned. */
async function adapt(body: Data, set: DataSet, { seed, precision, tell }: Adaptation): Promise<Model> {
  const scope = new WeightScope();
  const adapted = withLora(scope, lora, { body: "encoder" });
  const config = { ...tinyConfig, labels: set.labels.length };
  const logits = classifier(adapted.scope, encoderInputs(), config);
  const head = scope.parameters.filter(({ name }) => name!.startsWith("classifier."));
  const step = stepFor(logits, [...adapted.adapter.parameters, ...head]);
  const first = { ...initializeLora(adapted, seed), ...initialize(head, seed) };
  const options = { ...tuning, set, seed, tell };
  const learned =
    precision === "int8" ? await learnOverInt8(step, body, first, options) : await learn(step, body, first, options);
  const merged = mergeLora({ ...body, ...learned }, learned, adapted);
  const plain = new WeightScope();
  const outputs = { logits: classifier(plain, encoderInputs(), config) };
  return { outputs, initializers: Object.fromEntries(plain.parameters.map(({ name }) => [name!, merged[name!]!])) };
}

async function learnOverInt8(step: TrainingStep, body: Data, first: Data, options: Learning): Promise<Data> {
  const session = await createSession(toOnnx(productErrors({ outputs: step.outputs, initializers: body })), {
    threads,
  });
  const [some] = batchesOf(encode(options.set.train), options.seed, 0);
  const feeds: Record<string, Tensor> = {
    ...fed(some!, options.set),
    ...tensorsOf(step, first),
    learning_rate: scalar(0),
  };
  const errors = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])));
  await session.release();
  const keep = keepWorseThan(tolerated, errors);
  const kept = Object.keys(body).filter(keep);
  options.tell(`accuracy: int8 keeps ${kept.length} of ${Object.keys(errors).length} matrices in float32`);
  const quantized = int8Step(step, body, { keep });
  return learn(quantized.step, quantized.initializers as Data, first, options);
}

function stepFor(logits: Node, parameters: readonly Node[]): TrainingStep {
  const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate: input("learning_rate", []), weightDecay: 0.01 }));
  return trainingStep({ loss: crossEntropy(logits, input("labels", ["batch"], "int32")), parameters, optimizer });
}

interface Learning {
  readonly set: DataSet;
  readonly seed: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly tell: Bench["tell"];
}

/** The trained parameters after all epochs. */
async function learn(step: TrainingStep, frozen: Data, first: Data, options: Learning): Promise<Data> {
  const { set, epochs, learningRate, seed, tell } = options;
  const session = await createSession(toOnnx({ outputs: step.outputs, initializers: frozen }), { threads });
  const examples = encode(set.train);
  const totalSteps = Math.ceil(examples.length / batch) * epochs;
  const rate = schedule("linear", { learningRate, warmupSteps: Math.floor(totalSteps / 20), totalSteps });
  let carried = tensorsOf(step, first);
  let done = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    let sum = 0;
    const batches = batchesOf(examples, seed, epoch);
    for (const some of batches) {
      const results = await session.run({ ...fed(some, set), learning_rate: scalar(rate(done++)), ...carried });
      carried = carryOver(step, results);
      sum += Number(results.loss!.data[0]);
    }
    tell(`accuracy: epoch ${epoch + 1} of ${epochs}, loss ${(sum / batches.length).toFixed(3)}`);
  }
  await session.release();
  return Object.fromEntries(Object.keys(first).map((name) => [name, carried[name]!.data as Float32Array]));
}

const scalar = (value: number): Tensor => ({ shape: [], data: Float32Array.of(value) });

function tensorsOf(step: TrainingStep, first: Data): Record<string, Tensor> {
  const trained = step.carried.filter(({ name }) => Object.hasOwn(first, name));
  const tensors = trained.map(({ name, before }) => [
    name,
    { shape: before.type.shape as number[], data: first[name]! },
  ]);
  return { ...step.initialState, ...Object.fromEntries(tensors) };
}
