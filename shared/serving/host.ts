/** The model host: what answers questions about texts with a project's own model. */
import { ApiError } from "../errors.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Objects } from "../stores/objects.ts";

export interface Classification {
  labels: readonly string[];
  /** In the order of `labels`; they sum to 1. */
  probabilities: readonly number[];
  /** Tokens read from the text. */
  tokens: number;
  /** False when the text holds nothing the model knows, so that an answer would be a guess. */
  known: boolean;
}

export interface ModelHost {
  classify(model: ModelRecord, texts: readonly string[], signal?: AbortSignal): Promise<Classification[]>;
  close(): Promise<void>;
}

export function createModelHost(_objects: Objects, _options: { threads: number }): ModelHost {
  return {
    classify: async () => {
      throw new ApiError("overloaded", "This deployment does not serve models yet.");
    },
    close: async () => {},
  };
}
