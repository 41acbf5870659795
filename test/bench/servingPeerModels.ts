/** Our models as transformers.js takes them: the same weights and graph, with the inputs it feeds. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../../shared/engine/generation/dynamic.ts";
import { constant, input, type Node, toOnnx, WeightScope } from "../../shared/engine/index.ts";
import { type HeadLayout, joinHeads, type Projections, splitHeads } from "../../shared/engine/layers/attention.ts";
import type { Rotary } from "../../shared/engine/layers/rotary.ts";
import { lastToken } from "../../shared/engine/models/heads.ts";
import type { LanguageModel, TextInputs, TextMemory } from "../../shared/engine/models/languageModel.ts";
import { type Pretrained, weightsFor } from "../../shared/engine/models/pretrained.ts";
import { add, mul } from "../../shared/engine/ops/elementwise.ts";
import { concat, squeeze, unsqueeze } from "../../shared/engine/ops/layout.ts";
import { cast, greater, where } from "../../shared/engine/ops/logic.ts";
import { matmul, swapLast } from "../../shared/engine/ops/matmul.ts";
import { softmax } from "../../shared/engine/ops/normalization.ts";

type Data = Readonly<Record<string, Float32Array>>;

/** It looks for the size of a batch by this name. */
const batch = "batch_size";

function ids(name: string, length = "sequence"): Node {
  return cast(input(name, [batch, length], "int64"), "int32");
}

/** Lays a folder out: `config.json` and the model; beside them copies of some files of another folder. */
export function writePeerModel(
  folder: string,
  config: object,
  model: Uint8Array,
  copied: { readonly from: string; readonly names: readonly string[] } = { from: "", names: [] },
): void {
  mkdirSync(join(folder, "onnx"), { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  for (const name of copied.names) copyFileSync(join(copied.from, name), join(folder, name));
  writeFileSync(join(folder, "onnx", "model.onnx"), model);
}

/** `logits` [batch_size, classes] of token ids and their mask. */
export function peerClassifier(graph: (inputs: TextInputs) => Node, weights: Data): Uint8Array {
  const inputs = { input_ids: ids("input_ids"), attention_mask: ids("attention_mask") };
  return toOnnx({ outputs: { logits: graph(inputs) }, initializers: weights });
}

/** The next token's `logits` [batch_size, 1, vocabulary], by `past_key_values` that come back as `present`. */
export function peerDecoder(pretrained: Pretrained): Uint8Array {
  const { model } = pretrained;
  const scope = new WeightScope();
  const { memory, present } = pastAndPresent(model);
  const input_ids = ids("input_ids");
  // Texts come one at a time and are not padded: each token counts.
  const inputs = { input_ids, attention_mask: add(mul(input_ids, 0), 1), memory };
  const call = { scope, inputs, labels: 1, states: model.states(scope, inputs) };
  const logits = model.heads.causal!({ ...call, states: unsqueeze(lastToken(call), [1]) });
  return toOnnx({ outputs: { logits, ...present }, initializers: weightsFor(pretrained, scope.parameters) });
}

/** Keys and values as transformers' exporters lay them out: [batch_size, keyValueHeads, tokens, headWidth]. */
function pastAndPresent(model: LanguageModel): { memory: TextMemory; present: Record<string, Node> } {
  const positions = ids("position_ids");
  const present: Record<string, Node> = {};
  let layer = 0;
  const attend = (projections: Projections, layout: HeadLayout, rotary?: Rotary) => {
    const { query, key, value } = splitHeads(projections, layout, rotary);
    const grown = (part: "key" | "value", fresh: Node) => {
      const shape = [batch, layout.keyValueHeads, "past", layout.headWidth];
      const all = concat([input(`past_key_values.${layer}.${part}`, shape), squeeze(fresh, [2])], 2);
      present[`present.${layer}.${part}`] = all;
      return unsqueeze(all, [2]);
    };
    const [keys, values] = [grown("key", key), grown("value", value)];
    layer++;
    const isLater = greater(counted(keys, 3), unsqueeze(positions, [1, 2, 4]));
    const scores = mul(matmul(query, swapLast(keys)), layout.headWidth ** -0.5);
    return joinHeads(matmul(softmax(add(scores, where(isLater, constant(-1e9), constant(0)))), values));
  };
  if (!model.memory) throw new TypeError("only a causal model continues texts");
  return { memory: { positions, attend }, present };
}
