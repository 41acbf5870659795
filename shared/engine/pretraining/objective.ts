/** One way of learning from texts without labels: a loss as a graph, and what each of its steps is fed. */
import type { Node } from "../graph.ts";
import type { Bindings } from "../memory/sizes.ts";
import type { LanguageModel } from "../models/languageModel.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import type { Batches } from "../training/batches.ts";
import type { Tensors } from "../training/fitGraph.ts";
import type { Passages } from "./passages.ts";
import type { ObjectiveGraph, TokenObjective } from "./tokenLoss.ts";

export type StageName = TokenObjective | "contrastive" | "vectors";

export interface HeldBatch {
  readonly feeds: Tensors;
  /** How much its loss counts. */
  readonly weight: number;
}

export interface Objective {
  readonly name: StageName;
  /** With a seed, as training needs it, with dropout. */
  readonly graph: (seed?: Node) => ObjectiveGraph;
  readonly batches: Batches;
  /** The largest batch that will come. */
  readonly largest: { readonly rows: number; readonly bindings: Bindings };
  /** Whether a batch means the same in parts, should memory be short. */
  readonly divisible: boolean;
  /** What a step is fed of some of its rows. */
  readonly feedsOf: (rows: Int32Array, step: number) => Tensors;
  /** Tokens of rows, padding not counted. */
  readonly tokensOf: (rows: Int32Array) => number;
  /** The same at each call; none where nothing was held out. */
  readonly held: () => Iterable<HeldBatch>;
}

/** Texts as one model is shown them. */
export interface Reading {
  readonly model: LanguageModel;
  readonly train: Passages;
  readonly held: Passages;
  readonly special: SpecialTokens;
  /** The most tokens of a row, special ones included. */
  readonly longest: number;
  /** The most tokens of a step, padding included. */
  readonly tokenBudget: number;
  readonly dropout: number;
  readonly seed: number;
}

/** The tokens that stand around a text, and the one that hides others. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly behind: readonly number[];
  /** Undefined where the vocabulary has none. */
  readonly mask: number | undefined;
  readonly all: ReadonlySet<number>;
}

export function specialTokensOf(tokenizer: Tokenizer): SpecialTokens {
  // Of a text of nothing only the special tokens are left: one before it, the others behind.
  const around = tokenizer.encode("").input_ids;
  const mask = tokenizer.idOf("[MASK]") ?? tokenizer.idOf("<mask>");
  const named = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "<pad>", "<unk>", "<s>", "</s>"].map((name) =>
    tokenizer.idOf(name),
  );
  const all = new Set([...around, mask, ...named].filter((id) => id !== undefined));
  return { before: around.slice(0, 1), behind: around.slice(1), mask, all };
}

/** Ids with the tokens that stand around them. */
export function surrounded(ids: Int32Array, { before, behind }: SpecialTokens): Int32Array {
  return Int32Array.from([...before, ...ids, ...behind]);
}
