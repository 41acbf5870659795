/** Vectors of texts, by an imported base or a model tuned from one. */
import { ApiError } from "../errors.ts";
import type { BaseReader } from "./baseReader.ts";
import type { EmbeddingInput, ModelHost } from "./host.ts";
import type { HostContext } from "./hostContext.ts";
import type { OpenEncoder } from "./textEncoders.ts";

export function createEmbedding(context: HostContext, reader: BaseReader): Pick<ModelHost, "embed"> {
  return {
    async embed(model, inputs, signal) {
      const isTuned = "project_id" in model;
      const base = isTuned ? model.base : model;
      if (!base) throw new ApiError("invalid_value", `'${model.id}' gives no vectors.`, { param: "model" });
      const encoder = await context.encoders.open(base);
      const encoded = inputs.map((input, i) => encode(encoder, input, i));
      const file = isTuned ? await context.models.open(model) : null;
      try {
        const tuned = file && isTuned ? { model, file } : null;
        const vectors = await reader.read({ base, tuned }, encoded, "vector", signal);
        return encoded.map(({ length }, i) => ({ vector: vectors[i]!, tokens: length }));
      } finally {
        file?.close();
      }
    },
  };
}

/** A text longer than the model reads is cut; token ids were counted by whoever sent them, so too many are refused. */
function encode({ encode, mostTokens, vocabulary }: OpenEncoder, input: EmbeddingInput, place: number): Int32Array {
  if (typeof input === "string") return encode(input);
  const refuse = (why: string) =>
    new ApiError("invalid_value", `'input[${place}]' ${why}.`, { param: `input[${place}]` });
  const stray = input.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
  if (stray !== undefined) throw refuse(`holds ${stray}, which is no token of the model's ${vocabulary}`);
  if (input.length === 0) throw refuse("holds no token");
  if (input.length > mostTokens) throw refuse(`has ${input.length} tokens; the model reads ${mostTokens}`);
  return Int32Array.from(input);
}
