/** The door to everything that belongs to somebody: no valid key, no further. */
import type { MiddlewareHandler } from "hono";
import type { Env } from "../router.ts";
import type { KeyService } from "../services/keys.ts";

export function authenticate(keys: KeyService): MiddlewareHandler<Env> {
  return async (c, next) => {
    const secret = /^bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    const opened = await keys.open(secret, c.req.header("openai-project"));
    c.set("opened", opened);
    c.set("actor", opened.actor);
    c.set("key", opened.actor.key);
    if (opened.opens === "project") c.set("project", opened.project);
    c.header("openai-organization", opened.actor.organization_id);
    await next();
  };
}
