/** Answers of models at once, where the request landed. */
import type { Answered, Endpoint, InferenceContext } from "../../shared/inference/endpoint.ts";
import type { Project } from "../../shared/schemas/project.ts";

export interface InferenceService {
  answer<Request, Answer>(
    endpoint: Endpoint<Request, Answer>,
    call: { project: Project; request: Request; signal: AbortSignal },
  ): Promise<Answered<Answer>>;
}

export function createInferenceService(context: InferenceContext): InferenceService {
  return { answer: (endpoint, call) => endpoint.answer({ context, ...call }) };
}
