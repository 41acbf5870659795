/**
 * An imported base whose adapter first learns which texts belong together, and then a head is fitted to what it makes of
 * them (Tunstall et al. 2022, "Efficient Few-Shot Learning Without Prompts"): for few rows, which make many pairs.
 */
import type { Tensor } from "../dataTypes.ts";
import { input, type Node } from "../graph.ts";
import { initializeLora, type LoraConfig, withLora } from "../layers/lora.ts";
import { supervisedContrastive } from "../layers/lossesContrastive.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { adamw } from "../optimizers/adamw.ts";
import { clipByGlobalNorm } from "../optimizers/clip.ts";
import { chain } from "../optimizers/optimizer.ts";
import { schedule } from "../optimizers/schedules.ts";
import { mixSeeds } from "../random.ts";
import { createSession } from "../runtime/session.ts";
import { contrastiveBatches, contrastivePairs } from "../training/contrastiveBatches.ts";
import type { Tensors } from "../training/fitGraph.ts";
import { taken } from "../training/fitter.ts";
import type { Learner } from "../training/learner.ts";
import { logitsOf, padBatch } from "../training/textBatches.ts";
import { carryOver, type TrainingStep, trainingStep } from "../trainingStep.ts";
import { tensorsOf } from "../weights/tensors.ts";
import { headWeights, type OverVectors } from "./frozenLearner.ts";
import { meanState } from "./languageModel.ts";
import { createHeadFit, type HeadFit, headLogits, headSteps } from "./logisticHead.ts";
import { type Pretrained, weightsFor } from "./pretrained.ts";

export interface Contrasting {
  readonly adapter: LoraConfig;
  readonly peakLearningRate: number;
  /** Steps of the first phase. */
  readonly steps: number;
}

const maxGradientNorm = 1;
const headPrefix = "head.";

export async function createContrastiveLearner(options: OverVectors, contrasting: Contrasting): Promise<Learner> {
  const { classes, seed, vectors, train, valid, threads, hyperparameters } = options;
  const { pretrained, encoder } = vectors;
  const { adapter, steps, peakLearningRate } = contrasting;
  const graph = bodyGraph(pretrained, adapter, input("dropout_seed", [], "uint32"));
  const frozen = weightsFor(pretrained, graph.body, { seed: 0 });
  const step = stepOf(graph);
  const [stepper, reader] = await Promise.all([
    createSession(toOnnx({ outputs: step.outputs, initializers: frozen }), { threads }),
    createSession(toOnnx({ outputs: { logits: bodyGraph(pretrained, adapter).vector }, initializers: frozen }), {
      threads,
    }),
  ]);
  const ids = { train: train.texts.map(encoder.encode), valid: valid.texts.map(encoder.encode) };
  const batches = contrastiveBatches(train.labels, seed);
  const rate = schedule("linear", {
    learningRate: peakLearningRate * hyperparameters.learning_rate_multiplier,
    warmupSteps: Math.floor(steps / 10),
    totalSteps: steps,
  });
  const width = pretrained.model.hidden;
  const names = graph.lora.adapter.parameters.map(({ name }) => name!);
  let carried: Tensors = {
    ...tensorsOf(graph.lora.adapter.parameters, initializeLora(graph.lora, seed)),
    ...step.initialState,
  };
  let head: HeadFit | undefined;
  /** Where a checkpoint left the head, until it is there. */
  let headState: Tensors | undefined;
  const adapted = () => Object.fromEntries(names.map((name) => [name, carried[name]!]));
  const read = (texts: readonly Int32Array[]) =>
    logitsOf((batch) => reader.run({ ...batch, ...adapted() }), texts, width);
  const theHead = async () => {
    if (head) return head;
    const rows = { vectors: await read(ids.train), labels: train.labels };
    const said = options.names && (await read(options.names.map(encoder.encode)));
    head = await createHeadFit(rows, { ...options, names: said, width });
    if (headState) head.restore(headState);
    return head;
  };

  const contrast = async (n: number) => {
    const rows = batches.rowsOf(n);
    const texts = Array.from(rows, (row) => ids.train[row]!);
    const feeds = {
      ...padBatch(texts),
      ...contrastivePairs(rows.map((row) => train.labels[row]!)),
      learning_rate: { shape: [], data: Float32Array.of(rate(n)) },
      dropout_seed: { shape: [], data: Uint32Array.of(mixSeeds(seed, n)) },
    };
    const results = await stepper.run(taken(stepper, { ...feeds, ...carried }));
    carried = carryOver(step, results);
    const tokens = texts.reduce((sum, { length }) => sum + length, 0);
    return { loss: results.loss!.data[0] as number, accuracy: 0, tokens };
  };

  const totalSteps = steps + headSteps(train.labels.length);
  return {
    totalSteps,
    isEvaluated: (n) => n + 1 === totalSteps,
    step: async (n) => (n < steps ? contrast(n) : { ...(await (await theHead()).step(n - steps)), tokens: 0 }),
    async validate() {
      const logits = headLogits((await theHead()).head(), await read(ids.valid));
      return { logits, labels: valid.labels, classes };
    },
    state: () => ({ ...carried, ...renamed(head?.state() ?? {}, (name) => headPrefix + name) }),
    restore(state) {
      carried = Object.fromEntries(Object.keys(carried).map((name) => [name, state[name]!]));
      const ofHead = Object.entries(state).filter(([name]) => name.startsWith(headPrefix));
      if (ofHead.length) {
        headState = renamed(Object.fromEntries(ofHead), (name) => name.slice(headPrefix.length));
      }
    },
    adapter,
    weights: () => ({ ...adapted(), ...headWeights(head!.head()) }),
    async release() {
      await Promise.all([stepper.release(), reader.release(), head?.release()]);
    },
  };
}

function renamed(tensors: Tensors, rename: (name: string) => string): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
}

/** The base with its adapter, up to the mean of a text's states, float32 [batch, hidden]. */
function bodyGraph({ model }: Pretrained, config: LoraConfig, seed?: Node) {
  const lora = withLora(new WeightScope(), config, { body: model.prefix, seed });
  const vector = meanState(model, lora.scope);
  lora.requireTargets();
  return { vector, lora, body: lora.scope.parameters };
}

function stepOf({ vector, lora }: ReturnType<typeof bodyGraph>): TrainingStep {
  const square = (name: string) => input(name, ["batch", "batch"]);
  return trainingStep({
    loss: supervisedContrastive(vector, { hidden: square("hidden"), partners: square("partners") }),
    parameters: lora.adapter.parameters,
    optimizer: chain(
      clipByGlobalNorm(maxGradientNorm),
      adamw({ learningRate: input("learning_rate", []), weightDecay: 0.01 }),
    ),
  });
}
