/** First step: every line of the input file is checked before any is run. */
import { ApiError } from "../../../shared/errors.ts";
import { type BatchError, batchLimits } from "../../../shared/schemas/batch.ts";
import type { Attempt } from "./attempt.ts";
import { parseBody, parseRequest, type RawRequest, readRequests, toBatchError } from "./requests.ts";

/** The client mends these and asks again. */
const mostReported = 100;

interface Seen {
  total: number;
  ids: Set<string>;
  models: Set<unknown>;
}

/** Moves the batch to `in_progress`, or to `failed` with what is wrong. */
export async function validate(attempt: Attempt): Promise<void> {
  const { context, batch, lease, halt } = attempt;
  const seen: Seen = { total: 0, ids: new Set(), models: new Set() };
  const errors: BatchError[] = [];
  for await (const raw of readRequests(attempt)) {
    halt.throwIfAborted();
    const error = check(raw, attempt, seen);
    if (error) errors.push(error);
    if (errors.length === mostReported || seen.total > batchLimits.requests) break;
  }
  if (seen.total === 0) {
    const empty = new ApiError("invalid_file", "The file holds no request.", { param: "input_file_id" });
    errors.push(toBatchError(empty, null));
  }
  if (errors.length) {
    const changes = { errors: { object: "list" as const, data: errors }, lease: null };
    await context.stores.batches.transition(batch, "failed", { attempt: lease.attempt, changes, from: ["validating"] });
    return;
  }
  const [model] = seen.models;
  const changes = {
    request_counts: { ...batch.request_counts, total: seen.total },
    model: seen.models.size === 1 && typeof model === "string" ? model : null,
  };
  await context.stores.batches.transition(batch, "in_progress", { attempt: lease.attempt, changes });
}

function check(raw: RawRequest, { endpoint }: Attempt, seen: Seen): BatchError | undefined {
  seen.total++;
  try {
    if (seen.total > batchLimits.requests) {
      throw new ApiError("invalid_file", `The file holds more than ${batchLimits.requests} requests.`);
    }
    const request = parseRequest(raw, endpoint);
    if (seen.ids.has(request.custom_id)) {
      const message = `'custom_id' repeats that of an earlier line: '${request.custom_id}'.`;
      throw new ApiError("invalid_value", message, { param: "custom_id" });
    }
    seen.ids.add(request.custom_id);
    seen.models.add(request.body.model);
    parseBody(request, endpoint, ["body"]);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return toBatchError(error, raw.line);
    throw error;
  }
}
