/** Why a project's own model gives a label: what each token or column of an input adds to it. */
import type { Attribution } from "../engine/attribution/attributor.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { HostContext } from "./hostContext.ts";

export interface Attributing {
  /** For each of the labels, by name. A row of a table is given as its cells' JSON. */
  attribute(model: ModelRecord, text: string, labels: readonly string[], signal?: AbortSignal): Promise<Attribution[]>;
}

export function createAttribution(context: HostContext): Attributing {
  return {
    async attribute(model, text, labels, signal) {
      const file = await context.models.open(model);
      try {
        const named = file.config.labels;
        const stray = labels.find((label) => !named.includes(label));
        if (stray !== undefined) throw new RangeError(`'${stray}' is no label of ${model.id}`);
        const { base: content } = model;
        const base = content && { directory: (await context.bases.open(content)).path, digest: content.digest };
        const argument = {
          ...{ artifact: file.path, digest: model.digest, base: base ?? null, text },
          labels: labels.map((label) => named.indexOf(label)),
        };
        const call = context.device().stream("attribute", argument, signal);
        for (;;) {
          const { done, value } = await call.next();
          if (done) return value;
        }
      } finally {
        file.close();
      }
    },
  };
}
