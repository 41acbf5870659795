/**
 * An encoder of the size of MiniLM-L6 that has learned banking77 from nothing, as a Hugging Face folder. The bench trains
 * it itself, once, by the engine: some minutes on two cores, the same weights for the same seed.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { initialize, readSafetensors, type Tensor, WeightScope, writeSafetensors } from "../../shared/engine/index.ts";
import { linear } from "../../shared/engine/layers/basic.ts";
import { modelOf } from "../../shared/engine/models/families.ts";
import { type LanguageModel, meanState, type TextInputs } from "../../shared/engine/models/languageModel.ts";
import { readTokenizer } from "../../shared/engine/tokenizers/tokenizer.ts";
import { createTextLearner } from "../../shared/engine/training/textLearner.ts";
import { CheckpointConfig } from "../../shared/engine/weights/checkpointConfig.ts";
import { tensorsOf } from "../../shared/engine/weights/tensors.ts";
import type { DataSet } from "./dataSets.ts";
import type { Bench } from "./suite.ts";
import { config as miniLm } from "./trainingModel.ts";
import { threads } from "./trainingStepper.ts";

/** Where a bench keeps what takes long to make or to fetch. */
export const benchHome = join(resolve(process.env.MILLRACE_HOME ?? ".millrace"), "bench");

const config = { ...miniLm, architectures: ["BertForSequenceClassification"] };

const recipe = { epochs: 3, batch: 32, learningRate: 5e-4, seed: 1 };

export interface LearnedBase {
  /** Holds config.json, tokenizer.json, tokenizer_config.json and model.safetensors, and the head beside them. */
  readonly directory: string;
  readonly files: readonly string[];
  /** Of one linear layer over the mean of the states: `weight` [labels, 384] and `bias` [labels]. */
  readonly head: { readonly weight: Tensor; readonly bias: Tensor };
}

const tokenizerFiles = ["tokenizer.json", "tokenizer_config.json"];
const files = ["config.json", ...tokenizerFiles, "model.safetensors"];

/** `tokenizer`: a folder with BERT's uncased vocabulary. */
export async function learnedBase(set: DataSet, tokenizer: string, tell: Bench["tell"]): Promise<LearnedBase> {
  // What another recipe would make lies elsewhere.
  const directory = join(benchHome, `banking77-${Object.values(recipe).join("-")}`);
  if (!existsSync(directory)) await make(set, { tokenizer, directory, tell });
  const { tensors } = readSafetensors(readFileSync(join(directory, "head.safetensors")));
  return { directory, files, head: { weight: tensors.get("weight")!, bias: tensors.get("bias")! } };
}

interface Making {
  readonly tokenizer: string;
  readonly directory: string;
  readonly tell: Bench["tell"];
}

async function make(set: DataSet, { tokenizer, directory, tell }: Making): Promise<void> {
  const partial = `${directory}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  for (const name of tokenizerFiles) copyFileSync(join(tokenizer, name), join(partial, name));
  const id2label = Object.fromEntries(set.labels.map((label, i) => [i, label]));
  const label2id = Object.fromEntries(set.labels.map((label, i) => [label, i]));
  writeFileSync(join(partial, "config.json"), JSON.stringify({ ...config, id2label, label2id }));
  const { encode } = await readTokenizer(partial);
  const learned = await learn(set, (text) => encode(text).input_ids, tell);
  const take = (prefix: string, chosen: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(learned)
        .filter(([name]) => chosen(name))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  const isHead = (name: string) => name.startsWith("classifier.");
  writeFileSync(join(partial, "model.safetensors"), writeSafetensors(take("", (name) => !isHead(name))));
  writeFileSync(join(partial, "head.safetensors"), writeSafetensors(take("classifier.", isHead)));
  renameSync(partial, directory);
}

type Encode = (text: string) => readonly number[];

/** All weights, with the whole token table. */
async function learn({ train, test, labels }: DataSet, encode: Encode, tell: Bench["tell"]) {
  // An optimizer's step over 30,522 rows would take longer than the rest: only rows that some text has are trained.
  const used = [...new Set([0, ...train.flatMap(({ text }) => encode(text))])].sort((a, b) => a - b);
  const rowOf = new Map(used.map((id, row) => [id, row]));
  const model = modelOf(new CheckpointConfig({ ...config, vocab_size: used.length }));
  const { parameters } = pooledClassifier(model, labels.length);
  const rows = (part: DataSet["train"]) => ({
    texts: part.map(({ text }) => text),
    labels: Int32Array.from(part, ({ label }) => labels.indexOf(label)),
  });
  const learner = await createTextLearner(
    {
      logits: () => pooledClassifier(model, labels.length),
      trained: tensorsOf(parameters, initialize(parameters, recipe.seed)),
      frozen: {},
      encode: (text) => Int32Array.from(encode(text), (id) => rowOf.get(id) ?? 0),
      peakLearningRate: recipe.learningRate,
    },
    {
      ...{ train: rows(train), valid: rows(test), refit: false, classes: labels.length, base: null },
      hyperparameters: { n_epochs: recipe.epochs, batch_size: recipe.batch, learning_rate_multiplier: 1 },
      ...{ seed: recipe.seed, threads },
    },
  );
  tell(`serving: trains the base, ${learner.totalSteps} steps, kept for the next time in ${benchHome}`);
  let [loss, since] = [0, 0];
  for (let step = 0; step < learner.totalSteps; step++) {
    loss += (await learner.step(step)).loss;
    since++;
    if (!learner.isEvaluated(step)) continue;
    const { logits, labels: right } = await learner.validate();
    tell(
      `serving: step ${step + 1}, loss ${(loss / since).toFixed(3)}, ${accuracyOf(logits, right).toFixed(1)} % right`,
    );
    [loss, since] = [0, 0];
  }
  const weights = learner.weights();
  await learner.release();
  return { ...weights, [tokenTable]: wholeTable(weights[tokenTable]!, used) };
}

const tokenTable = "bert.embeddings.word_embeddings.weight";

/** A linear layer over the mean of a text's states, as models that are tuned from a base have it. */
export function pooledClassifier(model: LanguageModel, classes: number, inputs?: TextInputs) {
  const scope = new WeightScope();
  const pooled = meanState(model, scope, inputs);
  const logits = linear(scope.scope("classifier"), pooled, model.hidden, classes);
  return { logits, parameters: scope.parameters };
}

/** Rows of tokens that no text had are zeros. */
function wholeTable({ data }: Tensor, used: readonly number[]): Tensor {
  const width = config.hidden_size;
  const whole = new Float32Array(config.vocab_size * width);
  for (const [row, id] of used.entries()) {
    whole.set((data as Float32Array).subarray(row * width, (row + 1) * width), id * width);
  }
  return { shape: [config.vocab_size, width], data: whole };
}

/** Percent. */
function accuracyOf(logits: Float32Array, right: Int32Array): number {
  const classes = logits.length / right.length;
  const hits = right.filter((label, row) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own)) === label;
  });
  return (100 * hits.length) / right.length;
}
