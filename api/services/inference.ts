/** Answers of models at once, where the request landed. */
import type { Answered, Endpoint, InferenceContext, Streamed } from "../../shared/inference/endpoint.ts";
import type { Project } from "../../shared/schemas/project.ts";

interface Call<Request> {
  project: Project;
  request: Request;
  signal: AbortSignal;
}

export interface InferenceService {
  answer<Request, Answer>(endpoint: Endpoint<Request, Answer>, call: Call<Request>): Promise<Answered<Answer>>;
  /** Of an endpoint that streams. */
  stream<Request, Answer>(endpoint: Endpoint<Request, Answer>, call: Call<Request>): Promise<Streamed>;
}

export function createInferenceService(context: InferenceContext): InferenceService {
  return {
    answer: (endpoint, call) => endpoint.answer({ context, ...call }),
    async stream(endpoint, call) {
      if (!endpoint.stream) throw new Error(`${endpoint.path} does not stream`);
      return endpoint.stream({ context, ...call });
    },
  };
}
