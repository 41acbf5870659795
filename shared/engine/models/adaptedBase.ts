/** An imported base, kept as it is, with a LoRA adapter and a head of its own: how text classification adapts it. */
import type { Node } from "../graph.ts";
import { initialize } from "../layers/initialize.ts";
import { initializeLora, type Lora, type LoraConfig, mergeLora, withLora } from "../layers/lora.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { readTokenizer, type Tokenizer } from "../tokenizers/tokenizer.ts";
import { textInputs } from "./languageModel.ts";
import { buildModel, isHeadWeight, type Pretrained, readPretrained, weightsFor } from "./pretrained.ts";

/** What is trained beside the base unless told otherwise. It is kept with the model, as serving needs it too. */
export const adapterConfig: LoraConfig = { rank: 8, alpha: 16, dropout: 0.05, targets: "all-linear" };

/** Tokens read of a text, unless the base has fewer positions. */
const mostTokens = 256;

export interface Base {
  readonly pretrained: Pretrained;
  /** Ids of a text's first tokens with the base's special ones; at least one. */
  readonly encode: (text: string) => Int32Array;
  /** Ids that any text has. */
  readonly specialTokens: number;
}

/** Throws CheckpointError naming the file, field or tensor of the directory that is at fault. */
export async function openBase(directory: string): Promise<Base> {
  const [pretrained, tokenizer] = await Promise.all([readPretrained(directory), readTokenizer(directory)]);
  const most = Math.min(mostTokens, pretrained.model.maxPositions);
  return { pretrained, ...encoder(tokenizer, most) };
}

function encoder(tokenizer: Tokenizer, most: number): Pick<Base, "encode" | "specialTokens"> {
  // Of a text of nothing only the special tokens are left: one before it, the others behind.
  const empty = tokenizer.encode("").input_ids;
  const behind = Math.max(0, empty.length - 1);
  const cut = (ids: readonly number[]) =>
    ids.length <= most ? ids : [...ids.slice(0, most - behind), ...ids.slice(ids.length - behind)];
  return {
    specialTokens: empty.length,
    encode(text) {
      const ids = cut(tokenizer.encode(text.toWellFormed()).input_ids);
      return Int32Array.from(ids.length ? ids : [0]);
    },
  };
}

export interface AdaptedGraph {
  /** float32 [batch, classes]. */
  readonly logits: Node;
  readonly lora: Lora;
  /** Of the head, which is trained whole. */
  readonly head: readonly Node[];
  /** Of the base. */
  readonly body: readonly Node[];
}

/** The base with its adapter and head; with `seed` as training needs it, with dropout. */
export function adaptedGraph({ model }: Pretrained, classes: number, config: LoraConfig, seed?: Node): AdaptedGraph {
  const lora = withLora(new WeightScope(), config, { body: model.prefix, seed });
  const head = { head: "sequence", labels: classes } as const;
  const { output, scope } = buildModel(model, head, { inputs: textInputs(), scope: lora.scope });
  lora.requireTargets();
  const isHead = ({ name }: Node) => isHeadWeight(model, name!);
  return {
    logits: output,
    lora,
    head: scope.parameters.filter(isHead),
    body: scope.parameters.filter((parameter) => !isHead(parameter)),
  };
}

type Data = Readonly<Record<string, Float32Array>>;

/** The base's own weights. Throws CheckpointError as `weightsFor`. */
export function frozenData(pretrained: Pretrained, { body }: AdaptedGraph): Data {
  // Whatever head the checkpoint has is left behind.
  return weightsFor(pretrained, body, { seed: 0 });
}

/** First values of a new adapter and head. */
export function firstData({ lora, head }: AdaptedGraph, seed: number): Data {
  return { ...initializeLora(lora, seed), ...initialize(head, seed) };
}

/** The weights of an inference graph without adapter: base and adapter in one, and the head. */
export function mergedData(pretrained: Pretrained, graph: AdaptedGraph, trained: Data): Data {
  const head = Object.fromEntries(graph.head.map(({ name }) => [name!, trained[name!]!]));
  // BERT's pooler is of the head, and within the body that "all-linear" adapts.
  return mergeLora({ ...frozenData(pretrained, graph), ...head }, trained, graph.lora);
}
