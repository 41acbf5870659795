/** Last step: the parts become two files, and these and the batch's end come to be in one write. */
import { Readable } from "node:stream";
import type { BatchState } from "../../../shared/batchStates.ts";
import { batchPaceName } from "../../../shared/budget/batchCost.ts";
import type { BatchRecord } from "../../../shared/schemas/batch.ts";
import type { FileRecord } from "../../../shared/schemas/file.ts";
import { paceWrite } from "../../../shared/stores/budgets.ts";
import { fileWrite } from "../../../shared/stores/files.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import type { TransactWrite } from "../../../shared/stores/table.ts";
import { Stopped } from "../../lease.ts";
import type { Attempt } from "./attempt.ts";
import { type PartKind, partKey, partKinds } from "./parts.ts";

export async function finish(attempt: Attempt): Promise<void> {
  const { batch } = attempt;
  const to = batch.status === "cancelling" ? "cancelled" : batch.is_late ? "expired" : "completed";
  if (!(await end(attempt, to))) throw new Stopped("lost");
}

/** Ends the batch with whatever is done in its files. False where it is not this attempt's any more. */
export async function end(attempt: Attempt, to: BatchState, changes: Partial<BatchRecord> = {}): Promise<boolean> {
  const { context, batch, lease, halt } = attempt;
  const { batches, objects } = context.stores;
  const output = await join(attempt, "output", to);
  const errors = await join(attempt, "errors", to);
  halt.throwIfAborted();
  const done = await batches.transition(batch, to, {
    attempt: lease.attempt,
    changes: { ...changes, output_file_id: output?.id ?? null, error_file_id: errors?.id ?? null, lease: null },
    writes: [
      ...[output, errors].flatMap((file) => (file ? [fileWrite(file)] : [])),
      ...(to === "completed" ? paceWrites(batch) : []),
    ],
  });
  if (!done) return false;
  const keys = batch.parts.flatMap((part) => partKinds.map((kind) => partKey(batch, part, kind)));
  const deleted = await Promise.allSettled(keys.map((key) => objects.delete(key)));
  const left = deleted.filter(({ status }) => status === "rejected").length;
  if (left) context.log.warn({ batch: batch.id, left }, "parts of a finished batch could not be deleted");
  return true;
}

/** How long it took, for those that come after. */
function paceWrites({ endpoint, input_bytes, usage, receipt }: BatchRecord): TransactWrite[] {
  if (!input_bytes || !receipt) return [];
  const { input_tokens: tokens, output_tokens } = usage;
  const pace = { bytes: input_bytes, tokens, output_tokens, seconds: receipt.seconds };
  return [paceWrite(batchPaceName(endpoint), pace)];
}

const countOf = { output: "completed", errors: "failed" } as const;

/**
 * Undefined where no line is of that kind. An attempt that takes over writes the same bytes to the same object. A part that is
 * gone fails the batch, which then ends with the others.
 */
async function join(
  { context, batch, halt }: Attempt,
  kind: PartKind,
  to: BatchState,
): Promise<FileRecord | undefined> {
  const { objects } = context.stores;
  const parts = batch.parts.filter((part) => part[countOf[kind]] > 0);
  if (parts.length === 0) return undefined;
  const id = batch.file_ids[kind];
  const object_key = objectKeys.file(batch.project_id, id);
  async function* content() {
    for (const part of parts) {
      const key = partKey(batch, part, kind);
      const stored = await objects.get(key);
      if (stored) yield* stored;
      else if (to !== "failed") throw new Error(`Object ${key} is missing`);
    }
  }
  const options = { contentType: "application/jsonl", signal: halt };
  const { bytes } = await objects.put(object_key, Readable.from(content()), options);
  const now = Math.floor(Date.now() / 1000);
  const expires = batch.output_seconds === null ? undefined : now + batch.output_seconds;
  return {
    id,
    object: "file",
    bytes,
    created_at: now,
    filename: `${batch.id}_${kind === "output" ? "output" : "error"}.jsonl`,
    purpose: "batch_output",
    status: "processed",
    status_details: null,
    expires_at: expires ?? null,
    expires_at_ttl: expires,
    project_id: batch.project_id,
    object_key,
  };
}
