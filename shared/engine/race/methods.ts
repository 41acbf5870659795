/** The ways to make a model that a race compares. */
import type { LoraConfig } from "../layers/lora.ts";
import { createContrastiveLearner } from "../models/contrastiveLearner.ts";
import { createFrozenLearner } from "../models/frozenLearner.ts";
import { spokenName } from "../models/labelNames.ts";
import type { LanguageModel } from "../models/languageModel.ts";
import { ngramArchitecture } from "../models/ngramClassifier.ts";
import { createNgramLearner } from "../models/ngramLearner.ts";
import type { TextVectors } from "../models/textVectors.ts";
import { createTunedLearner } from "../models/tunedLearner.ts";
import { createWholeLearner } from "../models/wholeLearner.ts";
import type { Examples } from "../training/examples.ts";
import {
  type Learner,
  type RequestedHyperparameters,
  type ResolvedHyperparameters,
  resolveAuto,
} from "../training/learner.ts";
import { epochsWithin, isTunedWhole, operationsPerToken, tokensOf } from "./plan.ts";

export const methodNames = ["ngram", "frozen", "lora", "contrastive", "full"] as const;
export type MethodName = (typeof methodNames)[number];

/** What a method leaves open. */
export interface Setting {
  /** Of the head's penalty. */
  strength: number;
  /** Share of the steps that are made: those after it made the model worse. */
  share: number;
}

export interface Course {
  readonly labels: readonly string[];
  /** Of the base; null where there is none to race with. */
  readonly vectors: TextVectors | null;
  /** What is given here is used as given. */
  readonly requested: RequestedHyperparameters;
  readonly seed: number;
  readonly threads: number;
}

export interface Entry {
  readonly train: Examples;
  readonly valid: Examples;
  readonly setting: Setting;
  /** Floating-point operations it may take. */
  readonly operations: number;
}

interface Started {
  readonly learner: Learner;
  readonly hyperparameters: ResolvedHyperparameters;
}

interface Method {
  /** What it does, for people. */
  readonly what: string;
  readonly overBase: boolean;
  /** Whether held rows may end it early. */
  readonly isWatched?: boolean;
  /** Of which bases it is a method; absent: of all. */
  readonly fits?: (model: LanguageModel) => boolean;
  readonly start: (course: Course, entry: Entry) => Promise<Started>;
}

/** On all linear layers: with queries and values alone a small base hardly moved. */
const adapter: LoraConfig = { rank: 16, alpha: 32, dropout: 0, targets: "all-linear" };
/** Contrasts are better with it; where labels are learned it brings nothing and costs a fifth of a step. */
const contrastiveDropout = 0.05;
const tunedRate = 2.5e-3;
const wholeRate = 4e-4;
/** Passes of a training whose end nobody watches. */
const mostWhole = 4;
const contrastiveRate = 2e-3;
/** Texts of a contrastive step, about. */
const contrastiveBatch = 64;
/** Of its steps: as many as make it see each row so often, within bounds. */
const [leastContrastive, mostContrastive, sights] = [20, 300, 20];

/**
 * Few rows make few steps: eight of each of 77 labels were 67 % right after eight passes, and 70 % after twenty and more; 57
 * and 67 % of eight of each of two.
 */
function ngramChoice(rows: number): { n_epochs: number; batch_size: number } | undefined {
  if (rows > 3000) return undefined;
  return { n_epochs: Math.max(8, Math.min(40, Math.round(24_000 / rows))), batch_size: 32 };
}

export const methods: Readonly<Record<MethodName, Method>> = {
  ngram: {
    what: "words and pieces of words into a sparse linear classifier",
    overBase: false,
    async start(course, { train, valid }) {
      const size = { rows: train.labels.length, classes: course.labels.length };
      const usual = ngramArchitecture.resolveHyperparameters({}, size);
      const hyperparameters = resolveAuto(course.requested, { ...usual, ...ngramChoice(size.rows) });
      const { seed, threads } = course;
      const options = {
        ...{ train, valid, classes: size.classes, hyperparameters },
        base: null,
        seed,
        threads,
        refit: false,
      };
      return { hyperparameters, learner: await createNgramLearner(options) };
    },
  },
  frozen: {
    what: "the base as it is, with a linear head over its text vectors",
    overBase: true,
    start: (course, entry) => overBase(course, entry, { n_epochs: 1, batch_size: 256 }, createFrozenLearner),
  },
  lora: {
    what: "the base tuned through an adapter, with its head",
    overBase: true,
    isWatched: true,
    start(course, entry) {
      const tuning = { adapter, peakLearningRate: tunedRate };
      const chosen = { n_epochs: passesOf(course, entry), batch_size: 32 };
      return overBase(course, entry, chosen, (options) => createTunedLearner(options, tuning));
    },
  },
  contrastive: {
    what: "the base tuned through an adapter until texts of a label lie together, then a linear head",
    overBase: true,
    start(course, entry) {
      const vectors = course.vectors!;
      const longest = longestOfBatch(vectors, entry.train.texts);
      const perStep = contrastiveBatch * longest * operationsPerToken(vectors.pretrained.model);
      const fitting = Math.floor(entry.operations / perStep);
      const wanted = Math.ceil((sights * entry.train.labels.length) / contrastiveBatch);
      const steps = Math.max(leastContrastive, Math.min(mostContrastive, fitting, wanted));
      const { n_epochs = "auto" } = course.requested;
      const asked = n_epochs === "auto" ? steps : n_epochs * Math.ceil(entry.train.labels.length / contrastiveBatch);
      const dropping = { ...adapter, dropout: contrastiveDropout };
      const contrasting = { adapter: dropping, peakLearningRate: contrastiveRate, steps: asked };
      const chosen = { n_epochs: Math.ceil((steps * contrastiveBatch) / entry.train.labels.length), batch_size: 64 };
      return overBase(course, entry, chosen, (options) => createContrastiveLearner(options, contrasting));
    },
  },
  full: {
    what: "all layers of the base tuned, with its head, and kept as the adapter that comes nearest",
    overBase: true,
    fits: isTunedWhole,
    start(course, entry) {
      const tuning = { adapter, peakLearningRate: wholeRate };
      const chosen = { n_epochs: Math.min(mostWhole, passesOf(course, entry)), batch_size: 32 };
      return overBase(course, entry, chosen, (options) => createWholeLearner(options, tuning));
    },
  },
};

function passesOf({ vectors }: Course, { train, operations }: Entry): number {
  return epochsWithin(operations, tokensOf(vectors!, train.texts), vectors!.pretrained.model);
}

/** Tokens of the longest text of a contrastive step, about: its texts are of any length, and each is padded to it. */
function longestOfBatch({ encoder }: TextVectors, texts: readonly string[]): number {
  const lengths = Int32Array.from(texts, (text) => encoder.encode(text).length).sort();
  return lengths[Math.floor(lengths.length * (1 - 1 / contrastiveBatch))]!;
}

async function overBase(
  course: Course,
  { train, valid, setting }: Entry,
  chosen: Omit<ResolvedHyperparameters, "learning_rate_multiplier">,
  create: (options: Parameters<typeof createFrozenLearner>[0]) => Promise<Learner>,
): Promise<Started> {
  const hyperparameters = resolveAuto(course.requested, chosen);
  const { labels, vectors, seed, threads } = course;
  const options = { train, valid, classes: labels.length, hyperparameters, base: null, seed, threads, refit: false };
  const names = labels.map(spokenName);
  const learner = await create({ ...options, vectors: vectors!, strength: setting.strength, names });
  return { learner, hyperparameters };
}
