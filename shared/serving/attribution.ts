/** Why a project's own model gives a label: what each token or column of an input adds to it. */
import type { Attribution } from "../engine/attribution/attributor.ts";
import type { ArgumentOf } from "../engine/runtime/deviceProtocol.ts";
import { ApiError } from "../errors.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { HostContext } from "./hostContext.ts";

export interface Attributing {
  /**
   * For each of the labels, by name. A row of a table is given as its cells' JSON. Throws ApiError `queue_full` when too
   * many calls wait.
   */
  attribute(model: ModelRecord, text: string, labels: readonly string[], signal?: AbortSignal): Promise<Attribution[]>;
}

/** One is at work at a time, so that those who only want an answer wait for one of its passes at most. */
const mostWaiting = 64;

export function createAttribution(context: HostContext): Attributing {
  const inLine = createLine();

  const ask = async (argument: ArgumentOf<"attribute">, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    const call = context.device().stream("attribute", argument, signal);
    try {
      for (;;) {
        const { done, value } = await call.next();
        if (done) return value;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  };

  return {
    attribute: (model, text, labels, signal) =>
      inLine(async () => {
        const file = await context.models.open(model);
        try {
          const named = file.config.labels;
          const stray = labels.find((label) => !named.includes(label));
          if (stray !== undefined) throw new RangeError(`'${stray}' is no label of ${model.id}`);
          // A model that was raced with a base need not be over it.
          const content = file.config.base && model.base;
          const base = content && { directory: (await context.bases.open(content)).path, digest: content.digest };
          const numbers = labels.map((label) => named.indexOf(label));
          const { digest } = model;
          return await ask({ artifact: file.path, digest, base: base ?? null, text, labels: numbers }, signal);
        } finally {
          file.close();
        }
      }),
  };
}

function createLine() {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (waiting >= mostWaiting) {
      throw new ApiError("queue_full", "Too many requests wait for an explanation just now; try again in a moment.");
    }
    waiting++;
    const result = last.then(work).finally(() => waiting--);
    last = result.catch(() => {});
    return result;
  };
}
