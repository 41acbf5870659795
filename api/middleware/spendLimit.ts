/** Calls of models are refused while their project's month is exhausted, by a verdict that nobody waits for. */
import type { MiddlewareHandler } from "hono";
import type { Verdicts } from "../../shared/budget/verdicts.ts";
import { ApiError } from "../../shared/errors.ts";
import type { Env } from "../router.ts";

/** What asks a model, and is answered at once. Jobs are refused where they are made. */
const asking =
  /^\/v1\/(chat\/completions|completions|responses|decisions|embeddings|moderations|models\/[^/]+\/infer|fine_tuning\/alpha\/graders\/run)$/;

export function refuseExhausted(verdicts: Pick<Verdicts, "isExhausted">): MiddlewareHandler<Env> {
  return async (c, next) => {
    const project = c.req.method === "POST" && asking.test(c.req.path) ? c.get("project") : undefined;
    if (project && verdicts.isExhausted(project.id)) {
      const message = "This project has spent what it may spend this month, or jobs have reserved it.";
      throw new ApiError("insufficient_quota", message);
    }
    await next();
  };
}
