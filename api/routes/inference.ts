/** What answers of models have in common on their way out. */
import type { Context } from "hono";
import type { Answered } from "../../shared/inference/endpoint.ts";

/** Says which model it was, and returns the body. */
export function sendAnswer<Answer>(c: Context, { body, digest }: Answered<Answer>): Answer {
  if (digest !== null) c.header("x-millrace-model-digest", digest);
  return body;
}
