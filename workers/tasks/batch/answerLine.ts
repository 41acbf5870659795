/** One line's answer, in the form it has in the output or the error file. */
import { ApiError } from "../../../shared/errors.ts";
import { derivedId } from "../../../shared/ids.ts";
import type { Answered } from "../../../shared/inference/endpoint.ts";
import { noTokens, type TokenUsage, usageOf } from "../../../shared/inference/usage.ts";
import { askPatiently, refusalOf, unlessAborted } from "../patience.ts";
import type { Attempt } from "./attempt.ts";
import { type BatchRequest, parseBody, parseRequest, type RawRequest } from "./requests.ts";

export interface LineResult {
  line: number;
  /** Which file it belongs to. */
  kind: "output" | "errors";
  /** Without the line break. */
  text: string;
  usage: TokenUsage;
  /** The model that answered; null: none did. */
  model: string | null;
  /** The time was over before it was answered. */
  isLate: boolean;
}

/** Throws `Stopped` where the attempt is halted. `deadline` aborts when the batch has expired. */
export async function answerLine(attempt: Attempt, raw: RawRequest, deadline: AbortSignal): Promise<LineResult> {
  const { context, batch, halt } = attempt;
  const request = parseRequest(raw, attempt.endpoint);
  const signal = AbortSignal.any([halt, deadline]);
  try {
    const ask = () => unlessAborted(answer(attempt, request, signal), signal);
    return completed(attempt, request, await askPatiently(ask, signal));
  } catch (error) {
    halt.throwIfAborted();
    if (deadline.aborted) return late(attempt, request);
    if (!(error instanceof ApiError)) context.log.error({ batch: batch.id, line: raw.line, error }, "line failed");
    return refused(attempt, request, refusalOf(error));
  }
}

async function answer(attempt: Attempt, line: BatchRequest, signal: AbortSignal) {
  signal.throwIfAborted();
  const { context, endpoint, project } = attempt;
  const asked = parseBody(line, endpoint);
  const id = idsOf(attempt, line).request_id;
  const episode_id = await context.episodes.of(project, { request: asked });
  const { request, assignment } = await context.routing.route(endpoint, { id, project, request: asked, episode_id });
  const inference = { id, project, endpoint: endpoint.path, request, episode_id, assignment };
  const call = { context: context.inference, id, project, request, signal };
  return await context.recorder.answer(inference, () => endpoint.answer(call));
}

/** The same for the line whichever attempt answers it. */
function idsOf({ batch }: Attempt, { line }: BatchRequest) {
  const derive = (kind: "request" | "batch_request") => derivedId(kind, batch.created_at * 1000, `${batch.id}#${line}`);
  return { id: derive("batch_request"), request_id: derive("request") };
}

function completed(attempt: Attempt, request: BatchRequest, { body, model }: Answered<unknown>): LineResult {
  return { ...written(attempt, request, "output", { status_code: 200, body }, null), usage: usageOf(body), model };
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
  return { line: request.line, kind, text, usage: noTokens, model: null, isLate: false };
}
