/** Batches as a client sees them: asked for, listed and cancelled. The work is the workers'. */
import { batchLife } from "../../shared/batchStates.ts";
import { type BalanceStores, createWithin } from "../../shared/budget/balance.ts";
import { quoteBatch } from "../../shared/budget/batchCost.ts";
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId, newId } from "../../shared/ids.ts";
import type { Prices } from "../../shared/pricing/prices.ts";
import { type BatchRecord, batchLimits, type CreateBatch } from "../../shared/schemas/batch.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import type { Paging } from "./fineTuningJobs.ts";
import { requireFile } from "./namedFile.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface BatchService {
  create(project: Project, request: CreateBatch, attempt: Attempt): Promise<BatchRecord>;
  get(project: Project, id: string): Promise<BatchRecord>;
  list(project: Project, query: Paging): Promise<Page<BatchRecord>>;
  cancel(project: Project, id: string): Promise<BatchRecord>;
}

const windowSeconds = 24 * 60 * 60;

export function createBatchService(
  stores: BalanceStores & Pick<Stores, "batches" | "files" | "objects">,
  delivery: Delivery,
  prices: Prices,
): BatchService {
  const { batches, files } = stores;
  const get: BatchService["get"] = async (project, id) => {
    const batch = isId("batch", id) ? await batches.get(project.id, id) : undefined;
    if (!batch) throw notFound("batch", id);
    return batch;
  };

  return {
    get,
    async create(project, request, attempt) {
      const param = "input_file_id";
      const file = await requireFile(files, project, request.input_file_id, { param, purpose: "batch" });
      if (file.bytes > batchLimits.bytes) {
        throw new ApiError("invalid_file", `The input file is larger than ${batchLimits.bytes} bytes.`, { param });
      }
      const id = idFor("batch", attempt);
      const find = () => batches.get(project.id, id);
      const earlier = await find();
      if (earlier) return earlier;
      const record = { ...newBatch(project, id, request), input_bytes: file.bytes };
      const there = await createWithin(stores, prices.currency, {
        ...{ row: record, find, quote: () => quoteBatch(stores, prices, record, file) },
        create: (writes, reserved_nanos) =>
          batches.create({ ...record, ...(reserved_nanos !== undefined && { reserved_nanos }) }, writes),
      });
      if (there) return there;
      await delivery.send(record);
      return (await find()) ?? record;
    },
    async list(project, query) {
      return toPage(await batches.list(project.id, { ...query, limit: query.limit + 1 }), query.limit);
    },
    /** A worker may move the batch meanwhile: whoever loses the race looks again and decides anew. */
    async cancel(project, id) {
      for (;;) {
        const batch = await get(project, id);
        if (batch.status === "cancelling" || batch.status === "cancelled") return batch;
        if (!batchLife.before("cancelling").includes(batch.status)) {
          throw new ApiError("invalid_state", `Cannot cancel batch '${id}': it is ${batch.status}.`, { param: "id" });
        }
        if (!(await batches.transition(batch, "cancelling", { from: [batch.status] }))) continue;
        // A batch that no worker has yet is ended by the one that gets this message.
        await delivery.send(batch);
        return get(project, id);
      }
    },
  };
}

function newBatch(project: Project, id: string, request: CreateBatch): BatchRecord {
  const now = Math.floor(Date.now() / 1000);
  return {
    id,
    object: "batch",
    endpoint: request.endpoint,
    model: null,
    errors: null,
    input_file_id: request.input_file_id,
    completion_window: request.completion_window,
    status: "validating",
    output_file_id: null,
    error_file_id: null,
    created_at: now,
    in_progress_at: null,
    expires_at: now + windowSeconds,
    finalizing_at: null,
    completed_at: null,
    failed_at: null,
    expired_at: null,
    cancelling_at: null,
    cancelled_at: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
    usage: {
      input_tokens: 0,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 0,
    },
    metadata: request.metadata ?? null,
    receipt: null,
    project_id: project.id,
    lease: null,
    failures: 0,
    output_seconds: request.output_expires_after?.seconds ?? null,
    parts: [],
    next_line: 1,
    is_late: false,
    file_ids: { output: newId("file"), errors: newId("file") },
  };
}
