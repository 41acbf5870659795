/** The model host: what models answer, on one device process, with bases and models kept loaded. */
import type { DeviceOptions } from "../engine/runtime/device.ts";
import type { Threshold } from "../engine/training/thresholds.ts";
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Objects } from "../stores/objects.ts";
import { type Attributing, createAttribution } from "./attribution.ts";
import { createBaseReader } from "./baseReader.ts";
import { createClassification } from "./classification.ts";
import { createEmbedding } from "./embedding.ts";
import { createGeneration, type TextRequest, type WrittenText } from "./generation.ts";
import { createHostContext } from "./hostContext.ts";
import { createInfer, type Inferring } from "./infer.ts";
import { writeLabel } from "./labelText.ts";
import { type ServingLimits, usualLimits } from "./limits.ts";

export interface Classification {
  labels: readonly string[];
  /** In the order of `labels`; they sum to 1. */
  probabilities: readonly number[];
  /** Tokens read from the text. */
  tokens: number;
  /** False when the text holds nothing the model knows, so that an answer would be a guess. */
  known: boolean;
  /** How sure an answer must be for a precision, see `fitThresholds`. */
  thresholds: readonly Threshold[];
}

/** A text, or the token ids of one. */
export type EmbeddingInput = string | readonly number[];

export interface Embedding {
  /** Of length 1: the product of two of one model is their cosine. */
  vector: Float32Array;
  /** Tokens read. */
  tokens: number;
}

/**
 * Every function throws ApiError: `queue_full` when too much waits, `overloaded` when the device fails twice in a row; and
 * the signal's reason when it aborts.
 */
export interface ModelHost {
  classify(model: ModelRecord, texts: readonly string[], signal?: AbortSignal): Promise<Classification[]>;
  /** Throws ApiError for a model without vectors, and for token ids that the model has not. */
  embed(model: BaseRecord | ModelRecord, inputs: readonly EmbeddingInput[], signal?: AbortSignal): Promise<Embedding[]>;
  /**
   * A text that goes on from a prompt; of a classifier, its label. Throws ApiError naming the model or the field that cannot
   * be met; while the pieces are read, `overloaded` where the device failed.
   */
  generate(model: BaseRecord | ModelRecord, request: TextRequest, signal?: AbortSignal): Promise<WrittenText>;
  /** Outputs of an ONNX model. Throws ApiError for inputs that the model itself refuses. */
  infer: Inferring["infer"];
  attribute: Attributing["attribute"];
  /** Loads a model before anybody asks; whether that succeeds is for those who do to learn. */
  prefetch(model: ModelRecord): void;
  close(): Promise<void>;
}

export type ModelHostOptions = DeviceOptions & Partial<ServingLimits>;

export function createModelHost(objects: Objects, options: ModelHostOptions): ModelHost {
  const limits = { ...usualLimits, ...options };
  const context = createHostContext(objects, limits);
  const reader = createBaseReader(context, limits);
  const { classify } = createClassification(context, reader, limits);
  const { embed } = createEmbedding(context, reader);
  const { attribute } = createAttribution(context);
  const { generate } = createGeneration(context, limits);
  const { infer } = createInfer(context);
  return {
    classify: answering(classify),
    embed: answering(embed),
    attribute: answering(attribute),
    generate: answering((model, request, signal) =>
      "project_id" in model ? writeLabel({ classify }, model, request, signal) : generate(model, request, signal),
    ),
    infer: answering(infer),
    prefetch: (model) => void classify(model, [""]).catch(() => {}),
    close: () => context.close(),
  };
}

/** What goes wrong inside leaves as one error that may be tried again; its cause stays here. */
function answering<Arguments extends unknown[], Answer>(ask: (...question: Arguments) => Promise<Answer>) {
  return async (...question: Arguments): Promise<Answer> => {
    const signal = question.find((value) => value instanceof AbortSignal);
    try {
      signal?.throwIfAborted();
      return await ask(...question);
    } catch (cause) {
      if (cause instanceof ApiError || signal?.aborted) throw cause;
      throw new ApiError("overloaded", "The model could not be run just now.", { cause });
    }
  };
}
