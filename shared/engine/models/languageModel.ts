/** What every text model of this engine offers: its states, its heads, and what its checkpoints may hold besides. */
import { input, type Node } from "../graph.ts";
import type { HeadLayout, Projections } from "../layers/attention.ts";
import type { Dropout } from "../layers/dropout.ts";
import type { Rotary } from "../layers/rotary.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { meanPooling } from "./encoder.ts";

/** What a text in the making remembers of its earlier tokens: generation/memory.ts. */
export interface TextMemory {
  /** int32 [batch, sequence]: the place of each token in its text. */
  readonly positions: Node;
  /** Attention in the place of `attention`, over the tokens given and those before them. Asked for layer by layer. */
  readonly attend: (projections: Projections, layout: HeadLayout, rotary?: Rotary) => Node;
}

export interface TextInputs {
  /** int32 [batch, sequence]; padding goes behind the tokens. */
  readonly input_ids: Node;
  /** int32 [batch, sequence]: 1 for a token, 0 for padding. */
  readonly attention_mask: Node;
  /** int32 [batch, sequence]: which text of a pair a token belongs to; all of the first where absent. */
  readonly token_type_ids?: Node | undefined;
  /** Only for models that have `memory`: the tokens go on from others. Without it they are the text's first. */
  readonly memory?: TextMemory | undefined;
}

/** Inputs with symbolic batch and sequence, so that one session serves every length. */
export function textInputs({ pairs = false } = {}): TextInputs {
  const ids = (name: string) => input(name, ["batch", "sequence"], "int32");
  const inputs = { input_ids: ids("input_ids"), attention_mask: ids("attention_mask") };
  return pairs ? { ...inputs, token_type_ids: ids("token_type_ids") } : inputs;
}

/** Where a head reads from and what it draws its weights from. */
export interface HeadCall {
  /** The whole model's scope, not the body's. */
  readonly scope: WeightScope;
  /** float32 [batch, sequence, hidden], the last states. */
  readonly states: Node;
  readonly inputs: TextInputs;
  /** Classes, or values to predict. Unused by heads whose width is fixed. */
  readonly labels: number;
  readonly dropout?: Dropout | undefined;
}

/** The heads by task; their outputs are in models/heads.ts. */
export interface Heads {
  readonly sequence: (call: HeadCall) => Node;
  readonly token: (call: HeadCall) => Node;
  readonly span: (call: HeadCall) => Node;
  readonly similarity: (call: HeadCall) => Node;
  /** Next-token logits; only of a causal model. */
  readonly causal?: (call: HeadCall) => Node;
  /** Logits of the tokens that were hidden; only of a model that reads both ways, and whose output layer is tied. */
  readonly masked?: (call: HeadCall) => Node;
}

export type HeadName = keyof Heads;

/** One architecture at one size. */
export interface LanguageModel {
  /** Module under which the body's weights lie in a checkpoint with a head, such as `model`. */
  readonly prefix: string;
  readonly hidden: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** The longest sequence, in tokens. */
  readonly maxPositions: number;
  /**
   * The last hidden states, float32 [batch, sequence, hidden]. Weights: `prefix`.*. Dropout acts where the reference
   * has it, save on attention weights, whose width is known only at run time; llama and qwen2 have none.
   */
  readonly states: (scope: WeightScope, inputs: TextInputs, dropout?: Dropout) => Node;
  readonly heads: Heads;
  /** The layers that give attention its queries and values, by the ends of their paths. */
  readonly queryAndValue: readonly string[];
  /** The heads whose keys and values a text's memory keeps in each layer; only of a causal model. */
  readonly memory?: HeadLayout;
  /** Tensors a checkpoint may hold that are no weights, such as saved masks, by full name. */
  readonly buffers: RegExp;
  /** Weights a checkpoint may hold beside those of the head asked for, such as what pre-training left behind. */
  readonly besides?: RegExp;
  /** The name used here for a checkpoint's tensor, where the checkpoint has names of its own. */
  readonly rename?: (name: string) => string;
}

/** The mean of a text's last states, float32 [batch, hidden]: what linear heads and text vectors are made of. */
export function meanState({ states }: LanguageModel, scope: WeightScope, inputs: TextInputs = textInputs()): Node {
  return meanPooling(states(scope, inputs), inputs.attention_mask);
}
