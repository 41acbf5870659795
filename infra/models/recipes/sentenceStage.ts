/**
 * What stands around words, learned from a sentence encoder: the layers of a base learn to give a text the vector that the
 * encoder's knowledge and that of the words make together.
 */
import { join } from "node:path";
import { Matrix, solve } from "ml-matrix";
import type { Tensor } from "../../../shared/engine/index.ts";
import { openEncoder } from "../../../shared/engine/models/adaptedBase.ts";
import { readPretrained } from "../../../shared/engine/models/pretrained.ts";
import { writeBase } from "../../../shared/engine/pretraining/newBase.ts";
import { vectorObjective } from "../../../shared/engine/pretraining/vectorObjective.ts";
import { contextTargets } from "./contextTargets.ts";
import type { Place } from "./english.ts";
import { type Rows, usualLength } from "./principal.ts";
import type { RecipeStage } from "./run.ts";
import { learnSteps } from "./stageSteps.ts";
import { vectorsOf } from "./vectorsOf.ts";

export interface Lesson {
  readonly texts: readonly string[];
  /** What the encoder says of each. */
  readonly encoded: Rows;
}

type Tensors = Readonly<Record<string, Tensor>>;

export interface Pace {
  readonly steps: number;
  /** Tokens of a step, padding included. */
  readonly tokens: number;
  readonly rate: number;
  /** What of the rate is for the tokens' table; 0 leaves it as it is. */
  readonly tableRate: number;
  /** Texts that are judged by, and not learned from. */
  readonly held: number;
  /** Of what words say, beside what the encoder says: see `contextTargets`. */
  readonly words: number;
  /** Tokens that are read of a text. */
  readonly longest: number;
  /** What is left in the end of the first component, which is how good or bad words are; absent: all of it. */
  readonly first?: number;
  /** Texts by which the reading of the table is turned towards the targets before the first step. */
  readonly fitted: number;
}

const ridge = 10;
const seed = 3;

export function sentenceStage(name: string, lessonOf: (place: Place) => Promise<Lesson>, pace: Pace): RecipeStage {
  return {
    name,
    async run(base, folder, run) {
      const { model, weights } = await readPretrained(base);
      const lesson = await lessonOf(run.place);
      const { encode, specialTokens } = await openEncoder(base);
      const texts = lesson.texts.map((text) => encode(text).slice(0, pace.longest));
      const words = texts.map((ids) => ids.subarray(1, ids.length - (specialTokens - 1)));
      const start = Object.fromEntries(weights);
      const table = tableOf(start);
      const signal = signalOf(start, model.layers);
      run.place.tell(`${texts.length} texts, ${signal} columns`);
      const narrow = contextTargets({
        ...{ texts: words, table, encoded: lesson.encoded },
        ...{ weight: pace.words, count: signal },
      });
      const now = await vectorsOf(base, lesson.texts.slice(0, pace.fitted), run.threads);
      const scale = usualLength(now) / usualLength(narrow);
      const targets = widened(narrow, model.hidden, scale);
      const turned = { ...start, ...turnedTowards(start, { now, targets, signal, layers: model.layers }) };
      const objective = vectorObjective({
        ...{ model, texts, targets: targets.data, held: pace.held },
        ...{ tokenBudget: pace.tokens, seed },
      });
      const plan = { objective, steps: pace.steps, peakLearningRate: pace.rate, tableRate: pace.tableRate };
      const learned = await learnSteps(plan, turned, { vocabulary: model.vocabulary, seed, folder, run });
      if (!learned) return undefined;
      const path = join(folder, "learned");
      await writeBase(path, base, { ...learned, ...firstTimes(learned, model.layers, pace.first ?? 1) });
      return path;
    },
  };
}

function tableOf(weights: Tensors): Rows {
  const { shape, data } = weights["electra.embeddings.word_embeddings.weight"]!;
  return { width: shape[1]!, data: data as Float32Array };
}

const lastNorm = (layers: number) => `electra.encoder.layer.${layers - 1}.output.LayerNorm`;

/** The states' columns that the last normalisation lets through: those behind them carry a constant. */
function signalOf(weights: Tensors, layers: number): number {
  return (weights[`${lastNorm(layers)}.weight`]!.data as Float32Array).findLastIndex((value) => value !== 0) + 1;
}

/** The last normalisation with what it lets through of the first column, times `factor`. */
function firstTimes(weights: Tensors, layers: number, factor: number): Tensors {
  const scaled = (name: string) => {
    const { shape, data } = weights[name]!;
    return [name, { shape, data: Float32Array.from(data as Float32Array, (v, i) => (i === 0 ? factor * v : v)) }];
  };
  return Object.fromEntries([`${lastNorm(layers)}.weight`, `${lastNorm(layers)}.bias`].map(scaled));
}

function widened({ width, data }: Rows, to: number, scale: number): Rows {
  const wide = new Float32Array((data.length / width) * to);
  for (let i = 0; i < data.length; i++) wide[Math.floor(i / width) * to + (i % width)] = scale * data[i]!;
  return { width: to, data: wide };
}

interface Turning {
  /** Vectors of the first texts. */
  readonly now: Rows;
  readonly targets: Rows;
  readonly signal: number;
  readonly layers: number;
}

/**
 * The projection behind the table, so that what untrained layers give comes as near to the targets as a linear map can
 * (least squares, with a small ridge).
 */
function turnedTowards(weights: Tensors, { now, targets, signal, layers }: Turning): Tensors {
  const count = now.data.length / now.width;
  const matrix = ({ width, data }: Rows) => {
    const rows = new Matrix(count, signal);
    for (let row = 0; row < count; row++) {
      for (let i = 0; i < signal; i++) rows.set(row, i, data[row * width + i]!);
    }
    return rows;
  };
  const [from, to] = [matrix(now), matrix(targets)];
  const products = from.transpose().mmul(from).add(Matrix.eye(signal).mul(ridge));
  const map = solve(products, from.transpose().mmul(to));
  const turned = (name: string): Tensor => {
    const { shape, data } = weights[name]!;
    const width = shape[1] ?? 1;
    const out = Float32Array.from(data as Float32Array);
    for (let i = 0; i < signal; i++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let j = 0; j < signal; j++) sum += map.get(j, i) * (data[j * width + column] as number);
        out[i * width + column] = sum;
      }
    }
    return { shape, data: out };
  };
  const names = ["electra.embeddings_project.weight", "electra.embeddings_project.bias", `${lastNorm(layers)}.bias`];
  return Object.fromEntries(names.map((name) => [name, turned(name)]));
}
