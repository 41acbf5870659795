/** Passes on the events that a worker writes, in order and none twice; what breaks off is told as an error. */
import { setTimeout as pause } from "node:timers/promises";
import { answerLife } from "../../shared/answerStates.ts";
import { ApiError, type ErrorBody } from "../../shared/errors.ts";
import type { StreamEvent } from "../../shared/inference/endpoint.ts";
import type { AnswerRecord } from "../../shared/schemas/answerTask.ts";
import type { Answers } from "../../shared/stores/answers.ts";
import { createPayloads } from "../../shared/stores/payloads.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { thrownAs } from "./queuedAnswers.ts";

/** No worker has taken it up by then: there is none. */
const patienceMilliseconds = 10 * 60 * 1000;
/** Beyond a lease's end: for clocks that differ, and for a renewal that is on its way. */
const graceMilliseconds = 5_000;
const shortestPause = 20;
const longestPause = 500;

/**
 * From the first event on only one attempt counts: where that one ends without an ending, so does the answer, with an
 * error. Whoever stops listening cancels the answer.
 */
export async function* relayEvents(
  { answers, objects }: Pick<Stores, "answers" | "objects">,
  asked: AnswerRecord,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const deadline = Date.now() + patienceMilliseconds;
  let read = 0;
  let source: string | undefined;
  let between = shortestPause;
  try {
    while (!signal.aborted) {
      const row = (await answers.get(asked.project_id, asked.id)) ?? asked;
      source ??= await begin(answers, row);
      // Read after the row: when that says all is written, all is found.
      const chunks = source === undefined ? [] : await answers.chunks(row, source, read);
      for (const { events } of chunks) yield* events as StreamEvent[];
      read += chunks.length;
      if (row.status === "completed" && source !== undefined) return;
      if (row.status === "failed") throw await causeOf(objects, row);
      if (row.status === "cancelled" || hasBroken(row, source)) throw brokeOff();
      if (row.status === "queued" && Date.now() > deadline) throw new ApiError("overloaded", "No worker is free.");
      between = chunks.length ? shortestPause : Math.min(longestPause, between * 1.3);
      await pause(between);
    }
  } finally {
    // Without effect where it ended by itself.
    await answers.transition(asked, "cancelled", { changes: { lease: null } });
  }
}

/** The attempt whose events are passed on, once there are any; and from then on no other begins afresh. */
async function begin(answers: Answers, row: AnswerRecord): Promise<string | undefined> {
  const { written_by } = row;
  if (written_by === null || answerLife.isFinal(row.status)) return written_by ?? undefined;
  return (await answers.record(row, written_by, { relayed: true })) ? written_by : undefined;
}

/** The worker fell silent, or another has the row: no further event of this attempt will come. */
function hasBroken({ lease, status }: AnswerRecord, source: string | undefined): boolean {
  if (source === undefined || answerLife.isFinal(status)) return false;
  return lease?.attempt_id !== source || lease.expires_at + graceMilliseconds < Date.now();
}

function brokeOff(): ApiError {
  return new ApiError("internal_error", "The answer broke off and cannot be continued: ask again.");
}

async function causeOf(objects: Stores["objects"], { response }: AnswerRecord): Promise<ApiError> {
  return response ? thrownAs((await createPayloads(objects).get(response.body)) as ErrorBody) : brokeOff();
}
