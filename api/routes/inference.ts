/** What requests to models and their answers have in common on their way in and out. */
import type { Context } from "hono";
import { episodeHeader } from "../../shared/inference/episodes.ts";
import type { Env } from "../router.ts";
import type { Call, Inferred } from "../services/inference.ts";
import { attemptIn } from "./retries.ts";

/** `signal` aborts when nobody waits for the answer any longer. */
export function inferenceCall<Request>(c: Context<Env>, request: Request, signal = c.req.raw.signal): Call<Request> {
  return {
    // `c.var` makes an object of all variables each time.
    project: c.get("project"),
    request,
    signal,
    key: c.get("key"),
    requestId: c.get("requestId"),
    attempt: attemptIn(c),
    episode: c.req.header(episodeHeader),
    onEpisode: (id) => c.header(episodeHeader, id),
    onAssignment: ({ function: called, variant }) => {
      c.header("x-millrace-function", called);
      c.header("x-millrace-variant", variant);
    },
  };
}

/** Says which model it was and under which id, and returns the body. */
export function sendAnswer<Answer>(c: Context, { body, digest, requestId }: Inferred<Answer>): Answer {
  if (digest !== null) c.header("x-millrace-model-digest", digest);
  if (requestId !== undefined) c.set("requestId", requestId);
  return body;
}
