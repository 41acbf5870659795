/**
 * What models answer over HTTP, apart from HTTP: the same code stands behind a request, a line of a batch, and a worker
 * that answers for the API.
 */
import type { z } from "zod";
import type { Project } from "../schemas/project.ts";
import type { ModelHost } from "../serving/host.ts";
import type { ModelLookUp } from "./modelLookUp.ts";

export interface InferenceContext {
  models: ModelLookUp;
  host: ModelHost;
  /** Id of the tuned model that judges where a request for a moderation names none. */
  moderationModel?: string | undefined;
}

/** One request to be answered. */
export interface InferenceCall<Request> {
  context: InferenceContext;
  /** Of the inference; the answer's own id ends in the same characters. */
  id: string;
  project: Project;
  request: Request;
  signal: AbortSignal;
}

export interface Answered<Answer> {
  body: Answer;
  /** The model that answered. */
  model: string;
  /** SHA-256 of what answered: of the tuned model's artifact, else of the base; null where it has no files. */
  digest: string | null;
}

/** One event of an answer that comes while it is made. */
export interface StreamEvent {
  /** Only of answers whose events have names. */
  name?: string;
  data: object;
}

export interface Streamed {
  model: string;
  digest: string | null;
  /** May be read once. Giving up the iteration ends the work; what goes wrong is thrown. */
  events: AsyncIterable<StreamEvent>;
  /** The answer as one body, once all of its events were read. */
  whole(): unknown;
}

export interface Endpoint<Request, Answer> {
  /** Such as `/v1/decisions`. */
  path: string;
  /** Of the request's body. */
  schema: z.ZodType<Request>;
  /** Throws ApiError. */
  answer(call: InferenceCall<Request>): Promise<Answered<Answer>>;
  /** The same answer as it is made. Throws ApiError before anything is made, for whatever is wrong with the request. */
  stream?(call: InferenceCall<Request>): Promise<Streamed>;
}
