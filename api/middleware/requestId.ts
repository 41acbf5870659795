/** Gives every request an id, every answer OpenAI's standard headers, and tells the subscriber how it ended. */
import type { MiddlewareHandler } from "hono";
import { newId } from "../../shared/ids.ts";
import type { Observe } from "../requestEvents.ts";
import type { Env } from "../router.ts";

/** What can be no id or name is not told to logs: somebody's text, put into an address by mistake. */
const shownPart = (part: string) => (/^[\w.:~-]{0,128}$/.test(part) ? part : "…");

export function requestId(observe: Observe): MiddlewareHandler<Env> {
  return async (c, next) => {
    const started = performance.now();
    c.set("requestId", newId("request"));
    await next();
    const milliseconds = Math.round(performance.now() - started);
    // Not by `c.header`, which now makes another answer of the one there is, its body a stream.
    const { headers } = c.res;
    // An answer that an earlier request asked for has that one's id, here and in the log.
    const request_id = c.get("requestId");
    headers.set("x-request-id", request_id);
    headers.set("openai-version", "2020-10-01");
    headers.set("openai-processing-ms", String(milliseconds));
    observe({
      type: "answered",
      request_id,
      method: c.req.method,
      path: c.req.path.split("/").map(shownPart).join("/"),
      status: c.res.status,
      milliseconds,
      project_id: c.get("project")?.id ?? null,
    });
  };
}
