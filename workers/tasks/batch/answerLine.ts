/** One line's answer, in the form it has in the output or the error file. */
import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "../../../shared/errors.ts";
import { derivedId } from "../../../shared/ids.ts";
import type { Answered } from "../../../shared/inference/endpoint.ts";
import { noTokens, type TokenUsage, usageOf } from "../../../shared/inference/usage.ts";
import type { Attempt } from "./attempt.ts";
import { type BatchRequest, parseBody, parseRequest, type RawRequest } from "./requests.ts";

export interface LineResult {
  line: number;
  /** Which file it belongs to. */
  kind: "output" | "errors";
  /** Without the line break. */
  text: string;
  usage: TokenUsage;
  /** The time was over before it was answered. */
  isLate: boolean;
}

/** What is refused for a passing reason is asked again so often, each time after a longer pause. */
const mostTries = 4;
const firstPauseMilliseconds = 250;

/** Throws `Stopped` where the attempt is halted. `deadline` aborts when the batch has expired. */
export async function answerLine(attempt: Attempt, raw: RawRequest, deadline: AbortSignal): Promise<LineResult> {
  const { context, batch, halt } = attempt;
  const request = parseRequest(raw, attempt.endpoint);
  const signal = AbortSignal.any([halt, deadline]);
  for (let tries = 1; ; tries++) {
    try {
      return completed(attempt, request, await unlessAborted(answer(attempt, request, signal), signal));
    } catch (error) {
      halt.throwIfAborted();
      if (deadline.aborted) return late(attempt, request);
      if (!(error instanceof ApiError)) context.log.error({ batch: batch.id, line: raw.line, error }, "line failed");
      const refusal =
        error instanceof ApiError ? error : new ApiError("internal_error", "Something went wrong on our side.");
      if (!refusal.shouldRetry || tries === mostTries) return refused(attempt, request, refusal);
      await pause(firstPauseMilliseconds * 2 ** (tries - 1), undefined, { signal }).catch(() => {});
    }
  }
}

async function answer({ context, endpoint, project }: Attempt, request: BatchRequest, signal: AbortSignal) {
  signal.throwIfAborted();
  return await endpoint.answer({ context: context.inference, project, request: parseBody(request, endpoint), signal });
}

/** What cannot be interrupted is left to end by itself. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let abandon: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abandon = () => reject(signal.reason);
    signal.addEventListener("abort", abandon, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** The same for the line whichever attempt answers it. */
function idsOf({ batch }: Attempt, { line }: BatchRequest) {
  const derive = (kind: "request" | "batch_request") => derivedId(kind, batch.created_at * 1000, `${batch.id}#${line}`);
  return { id: derive("batch_request"), request_id: derive("request") };
}

function completed(attempt: Attempt, request: BatchRequest, { body }: Answered<unknown>): LineResult {
  return { ...written(attempt, request, "output", { status_code: 200, body }, null), usage: usageOf(body) };
}

function refused(attempt: Attempt, request: BatchRequest, error: ApiError): LineResult {
  return written(attempt, request, "errors", { status_code: error.status, body: error.toBody() }, null);
}

function late(attempt: Attempt, request: BatchRequest): LineResult {
  const message = "This request could not be run before the completion window was over.";
  return { ...written(attempt, request, "errors", null, { code: "batch_expired", message }), isLate: true };
}

function written(
  attempt: Attempt,
  request: BatchRequest,
  kind: LineResult["kind"],
  answer: { status_code: number; body: unknown } | null,
  error: { code: string; message: string } | null,
): LineResult {
  const { id, request_id } = idsOf(attempt, request);
  const response = answer && { status_code: answer.status_code, request_id, body: answer.body };
  const text = JSON.stringify({ id, custom_id: request.custom_id, response, error });
  return { line: request.line, kind, text, usage: noTokens, isLate: false };
}
