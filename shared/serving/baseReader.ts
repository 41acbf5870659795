/** Texts read by imported bases: rows of all models of a base, whoever owns them, share batches; each keeps to its own model. */
import type { ReadAnswer, ReadRow } from "../engine/runtime/deviceProtocol.ts";
import { type BaseContent, bytesOf } from "../schemas/baseContent.ts";
import type { ModelRecord } from "../schemas/model.ts";
import { createBatcher } from "./batcher.ts";
import type { HostContext } from "./hostContext.ts";
import type { ServingLimits } from "./limits.ts";
import type { OpenModelFile } from "./modelFiles.ts";
import type { OpenEncoder } from "./textEncoders.ts";

/** A base, as it is or through a model that was tuned from it. */
export interface Subject {
  base: BaseContent;
  tuned: { model: ModelRecord; file: OpenModelFile } | null;
}

export interface BaseReader {
  /** For each text of token ids its logits, or its vector of length 1. Throws where any of them was answered by another model. */
  read(
    subject: Subject,
    texts: readonly Int32Array[],
    wants: ReadRow["wants"],
    signal?: AbortSignal,
  ): Promise<Float32Array[]>;
}

interface Item extends ReadRow {
  base: BaseContent;
  encoder: OpenEncoder;
}

export function createBaseReader(context: HostContext, limits: ServingLimits): BaseReader {
  const batcher = createBatcher<Item, ReadAnswer>({
    ...limits,
    // One lies ready where a device process ends while this one is busy with requests.
    mostBatches: limits.processes + 1,
    lengthOf: ({ ids }) => ids.length,
    run: (_lane, items) => {
      const { base, encoder } = items[0]!;
      // A large base is there once, and its products are divided among all threads.
      const isSpread = bytesOf(base) <= limits.spreadBytes;
      const call = isSpread ? context.callAny : context.call;
      return call("read", {
        parts: isSpread ? limits.processes : 1,
        base: { directory: encoder.directory, digest: base.digest },
        precision: limits.precisionOf(base),
        adapter: encoder.adapter,
        adapterBytes: limits.adapterBytes,
        rows: items.map(({ ids, model, wants }) => ({ ids, model, wants })),
      });
    },
  });

  return {
    async read({ base, tuned }, texts, wants, signal) {
      const encoder = await context.encoders.open(base);
      const model = tuned && adapterFile(tuned);
      const key = model?.key ?? null;
      const ask = async (ids: Int32Array) => {
        const answer = await batcher.ask(base.digest, { ids, wants, model, base, encoder }, signal);
        if ("failed" in answer) throw new Error(answer.failed);
        if (answer.key !== key) throw new Error(`A row of ${key} was answered by ${answer.key}`);
        return answer.values;
      };
      return Promise.all(texts.map(ask));
    },
  };
}

function adapterFile({ model, file }: NonNullable<Subject["tuned"]>): NonNullable<ReadRow["model"]> {
  const { adapter } = file.config.base!;
  return { key: `${model.project_id} ${model.id} ${model.digest}`, path: file.path, digest: model.digest, adapter };
}
