/** Has a worker answer: a row and a message go out, and the row is watched until the answer is in it. */
import { setTimeout as pause } from "node:timers/promises";
import { answerLife } from "../../shared/answerStates.ts";
import { ApiError, type ErrorBody, type ErrorCode, notFound } from "../../shared/errors.ts";
import { isId, newId } from "../../shared/ids.ts";
import type { Answered } from "../../shared/inference/endpoint.ts";
import type { Inference } from "../../shared/inference/recorded.ts";
import type { AnswerRecord, AnswerTask, AnswerWithResponse } from "../../shared/schemas/answerTask.ts";
import type { Project } from "../../shared/schemas/project.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import { createPayloads } from "../../shared/stores/payloads.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import type { Attempt, RequestClaims } from "./requestClaims.ts";

export interface Question extends Inference {
  model: string;
  /** The request as it came, by which it is known when it comes again; absent: as it is answered. */
  asked?: unknown;
}

export interface QueuedAnswers {
  /** The answer to be, or the one that the same request, sent before, asked for. */
  ask(question: Question, attempt: Attempt): Promise<AnswerRecord>;
  /** As `ask`, for events one by one, which go to one client alone. */
  askForEvents(question: Question): Promise<AnswerRecord>;
  /** The row when it is final, or as it is when the patience is over or nobody waits any longer. */
  wait(answer: AnswerRecord, patience: Patience): Promise<AnswerRecord>;
  /** Nobody waits for it any longer. Without effect on a final row. */
  cancel(answer: AnswerRecord): Promise<void>;
  /** Of a final row; throws what the endpoint would have thrown. */
  result(answer: AnswerRecord): Promise<Answered<unknown>>;
  get(project: Pick<Project, "id">, id: string): Promise<AnswerWithResponse>;
}

export interface Patience {
  milliseconds: number;
  signal: AbortSignal;
  /** Ends the wait before the row is final. */
  until?: (row: AnswerRecord) => boolean;
}

/** How long an answer is kept for those who come back for it. */
const keptSeconds = 24 * 60 * 60;
const shortestPause = 20;
const longestPause = 1000;

export function createQueuedAnswers(
  { answers, objects }: Pick<Stores, "answers" | "objects">,
  claims: RequestClaims,
  delivery: Delivery,
): QueuedAnswers {
  const payloads = createPayloads(objects);

  const send = async (id: string, question: Question, is_stream: boolean): Promise<AnswerRecord> => {
    const key = objectKeys.answer(question.project.id, id, "request");
    const record = newAnswer(id, question, { is_stream, request: await payloads.put(key, question.request) });
    await answers.create(record);
    await delivery.send(record);
    return record;
  };

  return {
    async ask(question, attempt) {
      const { project, endpoint, request, asked = request } = question;
      const id = await claims.answerId(project, [endpoint, asked], attempt);
      return (await answers.get(project.id, id)) ?? (await send(id, question, false));
    },
    askForEvents: (question) => send(newId("answer"), question, true),
    async wait(answer, { milliseconds, signal, until = () => false }) {
      const deadline = Date.now() + milliseconds;
      for (let between = shortestPause; ; between = Math.min(longestPause, between * 1.3)) {
        const row = (await answers.get(answer.project_id, answer.id)) ?? answer;
        const left = deadline - Date.now();
        if (answerLife.isFinal(row.status) || until(row) || left <= 0 || signal.aborted) return row;
        await pause(Math.min(between, left));
      }
    },
    async cancel(answer) {
      await answers.transition(answer, "cancelled", { changes: { lease: null } });
    },
    async result(answer) {
      if (!answer.response) throw new ApiError("internal_error", "The answer was given up.");
      const body = await payloads.get(answer.response.body);
      if (answer.status !== "completed") throw thrownAs(body as ErrorBody);
      return { body, model: answer.model, digest: answer.digest };
    },
    async get(project, id) {
      const answer = isId("answer", id) ? await answers.get(project.id, id) : undefined;
      if (!answer) throw notFound("answer", id);
      const { response } = answer;
      if (!response) return { ...toTask(answer), response: null };
      const body = (await payloads.get(response.body)) as Record<string, unknown>;
      return { ...toTask(answer), response: { status_code: response.status_code, body } };
    },
  };
}

/** What a client sees of a row. */
export function toTask(answer: AnswerRecord): AnswerTask {
  const { id, status, endpoint, model, request_id, created_at, finished_at } = answer;
  const url = `/v1/answers/${id}`;
  return { id, object: "answer", status, endpoint, model, request_id, url, created_at, finished_at };
}

/** The error whose body a worker stored. */
export function thrownAs({ error }: ErrorBody): ApiError {
  return new ApiError(error.code as ErrorCode, error.message, error.param === null ? {} : { param: error.param });
}

function newAnswer(
  id: string,
  { id: requestId, project, endpoint, model, episode_id = null, assignment = null }: Question,
  fields: Pick<AnswerRecord, "is_stream" | "request">,
): AnswerRecord {
  const now = Math.floor(Date.now() / 1000);
  return {
    id,
    status: "queued",
    endpoint,
    model,
    request_id: requestId,
    episode_id,
    assignment,
    created_at: now,
    finished_at: null,
    project_id: project.id,
    lease: null,
    failures: 0,
    digest: null,
    response: null,
    written_by: null,
    relayed: false,
    expires_at_ttl: now + keptSeconds,
    ...fields,
  };
}
