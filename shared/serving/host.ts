/** The model host: answers questions about texts with a project's own model, kept loaded in a device process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, type DeviceOptions, startDevice } from "../engine/runtime/device.ts";
import type { ArgumentOf } from "../engine/runtime/deviceProtocol.ts";
import { ApiError } from "../errors.ts";
import type { BaseRecord } from "../schemas/base.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Objects } from "../stores/objects.ts";
import { createBaseFiles } from "./baseFiles.ts";
import { createModelFiles } from "./modelFiles.ts";

export interface Classification {
  labels: readonly string[];
  /** In the order of `labels`; they sum to 1. */
  probabilities: readonly number[];
  /** Tokens read from the text. */
  tokens: number;
  /** False when the text holds nothing the model knows, so that an answer would be a guess. */
  known: boolean;
}

/** A text, or the token ids of one. */
export type EmbeddingInput = string | readonly number[];

export interface Embedding {
  /** Of length 1: the product of two of one model is their cosine. */
  vector: Float32Array;
  /** Tokens read. */
  tokens: number;
}

export interface ModelHost {
  /** Throws ApiError `overloaded` when the device fails twice in a row. */
  classify(model: ModelRecord, texts: readonly string[], signal?: AbortSignal): Promise<Classification[]>;
  /** Throws ApiError for a model without vectors. */
  embed(model: BaseRecord | ModelRecord, inputs: readonly EmbeddingInput[], signal?: AbortSignal): Promise<Embedding[]>;
  close(): Promise<void>;
}

export interface ModelHostOptions extends DeviceOptions {
  /** Bytes of models kept loaded. */
  budgetBytes?: number;
}

const defaultBudget = 1024 * 1024 * 1024;

export function createModelHost(objects: Objects, options: ModelHostOptions): ModelHost {
  const directory = mkdtemp(join(tmpdir(), "millrace-models-"));
  let device: Device | undefined;
  const running = (): Device => {
    if (!device?.alive) device = startDevice(options);
    return device;
  };
  const bases = createBaseFiles(
    objects,
    directory.then((path) => join(path, "bases")),
  );
  const files = createModelFiles(objects, directory, {
    budgetBytes: options.budgetBytes ?? defaultBudget,
    onEvict: (path) => device?.alive && void device.call("unload", { artifact: path }).catch(() => {}),
  });

  const predict = async (question: ArgumentOf<"predict">) => {
    try {
      return await running().call("predict", question);
    } catch (error) {
      if (device?.alive) throw error;
      // A device that died took nobody's data with it: the same question goes to a new one, once.
      return await running().call("predict", question);
    }
  };

  const baseOf = async ({ base }: ModelRecord) =>
    base ? { directory: (await bases.open(base)).path, digest: base.digest } : null;

  return {
    async classify(model, texts, signal) {
      signal?.throwIfAborted();
      const file = await files.open(model);
      try {
        const { labels, predictions } = await predict({ artifact: file.path, texts, base: await baseOf(model) });
        return predictions.map((prediction) => ({ labels, ...prediction }));
      } catch (cause) {
        throw new ApiError("overloaded", "The model could not be run just now.", { cause });
      } finally {
        file.close();
      }
    },
    async embed(model) {
      throw new ApiError("invalid_value", `'${model.id}' gives no vectors.`, { param: "model" });
    },
    async close() {
      device?.kill();
      await rm(await directory, { recursive: true, force: true });
    },
  };
}
