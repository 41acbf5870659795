/** Answers of models: at once, where the request landed, or by a worker where the model is too heavy for that. */
import { answerLife } from "../../shared/answerStates.ts";
import { ApiError } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import type { Answered, Endpoint, InferenceContext, Streamed } from "../../shared/inference/endpoint.ts";
import { createEpisodeLookUp } from "../../shared/inference/episodes.ts";
import type { FunctionRouting } from "../../shared/inference/functionRouting.ts";
import type { Meter } from "../../shared/inference/metered.ts";
import { heavyModel } from "../../shared/inference/queuedModels.ts";
import { createRecorder } from "../../shared/inference/recorded.ts";
import type { AnswerRecord, AnswerTask, AnswerWithResponse } from "../../shared/schemas/answerTask.ts";
import type { Assignment } from "../../shared/schemas/assignment.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { type Question, type QueuedAnswers, toTask } from "./queuedAnswers.ts";
import { relayEvents } from "./relayedEvents.ts";
import type { Attempt } from "./requestClaims.ts";

export interface Call<Request> {
  project: Project;
  request: Request;
  signal: AbortSignal;
  /** Of the API key that asks. */
  key?: string;
  /** The `x-request-id`, which is the id of the inference. */
  requestId?: string;
  /** How the client says that it asks again. */
  attempt?: Attempt;
  /** What the header says of the episode. */
  episode?: string | undefined;
  /** Told the id of the episode, where there is one, before anything is answered. */
  onEpisode?: (id: string) => void;
  /** Told what a call of a function became, before anything is answered. */
  onAssignment?: (assignment: Assignment) => void;
}

/** With the id of the request that first asked, where that was another one. */
export type Inferred<Answer> = Answered<Answer> & { requestId?: string };

export interface InferenceService {
  /** Throws ApiError `answer_pending` where a worker takes longer than a client is kept waiting: asked again, it has the answer. */
  answer<Request, Answer>(endpoint: Endpoint<Request, Answer>, call: Call<Request>): Promise<Inferred<Answer>>;
  /** Tells where to look for the answer instead. */
  answerOrQueue<Request, Answer>(
    endpoint: Endpoint<Request, Answer>,
    call: Call<Request>,
  ): Promise<Inferred<Answer> | { queued: AnswerTask }>;
  /** Of an endpoint that streams. */
  stream<Request, Answer>(endpoint: Endpoint<Request, Answer>, call: Call<Request>): Promise<Relayed>;
  /** What a worker has answered so far. */
  queued(project: Pick<Project, "id">, id: string): Promise<AnswerWithResponse>;
}

/** Events as they come, wherever they are made. */
export type Relayed = Omit<Streamed, "whole">;

export interface QueueOptions {
  /** Models of more bytes are answered by workers; 0: none by its size alone. */
  heavyBytes: number;
  /** How long a request waits for a worker's answer. */
  answerWaitSeconds: number;
}

const firstTry: Attempt = { idempotencyKey: undefined, retryCount: 0 };

export function createInferenceService(
  context: InferenceContext,
  stores: Pick<Stores, "answers" | "objects" | "inferences" | "exposures" | "episodes">,
  routing: FunctionRouting,
  queue: QueuedAnswers,
  { heavyBytes, answerWaitSeconds, meter }: QueueOptions & { meter: Meter },
): InferenceService {
  const recorder = createRecorder(stores.inferences, stores.exposures, meter);
  const episodes = createEpisodeLookUp(stores.episodes);
  const patience = answerWaitSeconds * 1000;
  const heavy = ({ project, request }: Pick<Call<unknown>, "project" | "request">) =>
    heavyModel(context.models, project, request as { model?: unknown }, heavyBytes);

  const inference = async <Request>(endpoint: Endpoint<Request, unknown>, call: Call<Request>) => {
    const { project, request: asked, requestId: id = newId("request"), episode: header } = call;
    const episode_id = await episodes.of(project, { header, request: asked });
    if (episode_id !== null) call.onEpisode?.(episode_id);
    const { request, assignment } = await routing.route(endpoint, { id, project, request: asked, episode_id });
    if (assignment) call.onAssignment?.(assignment);
    const api_key_id = call.key ?? null;
    return { id, project, endpoint: endpoint.path, request, asked, episode_id, assignment, api_key_id };
  };

  /** A final row, or one whose time is not yet. A client that goes away may come back for it. */
  const ask = async (question: Question, call: Call<unknown>) => {
    const asked = await queue.ask(question, call.attempt ?? firstTry);
    // Asked again, it is what it was the first time.
    if (asked.episode_id !== null) call.onEpisode?.(asked.episode_id);
    if (asked.assignment) call.onAssignment?.(asked.assignment);
    return await queue.wait(asked, { milliseconds: patience, signal: call.signal });
  };

  const answerOrQueue: InferenceService["answerOrQueue"] = async (endpoint, call) => {
    const recorded = await inference(endpoint, call);
    const model = await heavy(recorded);
    const { signal } = call;
    if (!model) return recorder.answer(recorded, () => endpoint.answer({ context, ...recorded, signal }));
    const row = await ask({ ...recorded, model: model.id }, call);
    if (!answerLife.isFinal(row.status)) return { queued: toTask(row) };
    return { ...((await queue.result(row)) as Answered<never>), requestId: row.request_id };
  };

  return {
    answerOrQueue,
    async answer(endpoint, call) {
      const answered = await answerOrQueue(endpoint, call);
      if (!("queued" in answered)) return answered;
      throw new ApiError("answer_pending", "The model is still at work on it: ask again, and the answer is found.");
    },
    async stream(endpoint, call) {
      const { stream } = endpoint;
      if (!stream) throw new Error(`${endpoint.path} does not stream`);
      const recorded = await inference(endpoint, call);
      const model = await heavy(recorded);
      if (!model) return recorder.stream(recorded, () => stream({ context, ...recorded, signal: call.signal }));
      const asked = await queue.askForEvents({ ...recorded, model: model.id });
      // Who goes away before the first event has no events to give up.
      const cancel = () => void queue.cancel(asked).catch(() => {});
      call.signal.addEventListener("abort", cancel, { once: true });
      if (call.signal.aborted) cancel();
      const begun = (row: AnswerRecord) => row.written_by !== null;
      const row = await queue.wait(asked, { milliseconds: patience, signal: call.signal, until: begun });
      // What is wrong with the request is an answer of its own, before any event.
      if (row.status === "failed" && !begun(row)) await queue.result(row);
      const digest = "digest" in model ? model.digest : null;
      return { model: model.id, digest, events: relayEvents(stores, asked, call.signal) };
    },
    queued: queue.get,
  };
}
