/** Which models turn texts into vectors. */
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import type { ModelRecord } from "../schemas/model.ts";
import { type CallableModel, isFineTuned, isImported } from "./modelLookUp.ts";

/** An imported base, or a model tuned over one. */
export type Embedder = BaseRecord | ModelRecord;

/** OpenAI's limit on what one call reads. */
export const maxInputs = 2048;

export function isEmbedder(model: CallableModel): model is Embedder {
  return isFineTuned(model) ? model.base !== undefined : isImported(model);
}

/** Throws ApiError naming `model`. */
export function asEmbedder(model: CallableModel): Embedder {
  if (isEmbedder(model)) return model;
  const message = `'${model.id}' gives no vectors: name an imported base model, or a model tuned over one.`;
  throw new ApiError("invalid_value", message, { param: "model" });
}
