/** A BERT just wide enough for its matrices to become int8, and texts for it. */
import type { Tensor, WeightScope } from "../../../../shared/engine/index.ts";
import { modelOf } from "../../../../shared/engine/models/families.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";
import { tensor } from "../run.ts";

const config = {
  model_type: "bert",
  hidden_size: 64,
  num_attention_heads: 4,
  intermediate_size: 128,
  num_hidden_layers: 2,
  vocab_size: 96,
  max_position_embeddings: 16,
  type_vocab_size: 2,
};

export const mediumModel = () => {
  const model = modelOf(new CheckpointConfig(config));
  return {
    model,
    build: (scope: WeightScope) => buildModel(model, { head: "sequence", labels: 3 }, { inputs: textInputs(), scope }),
    states: (scope: WeightScope) => model.states(scope, textInputs()),
    feeds: texts(8),
  };
};

/** Texts of 12 tokens, every other one cut short. */
export function texts(count: number): Record<"input_ids" | "attention_mask", Tensor> {
  const length = 12;
  const mask = Int32Array.from({ length: count * length }, (_, at) => {
    return Number(at % length < (Math.floor(at / length) % 2 ? 7 : length));
  });
  const ids = Int32Array.from(mask, (seen, at) => (seen ? 2 + ((at * 37 + ((at * at) % 11)) % 90) : 0));
  return { input_ids: tensor([count, length], ids), attention_mask: tensor([count, length], mask) };
}
