/** The door to everything that belongs to a project: no valid key, no further. */
import type { MiddlewareHandler } from "hono";
import type { Env } from "../router.ts";
import type { ProjectService } from "../services/projects.ts";

export function authenticate(projects: ProjectService): MiddlewareHandler<Env> {
  return async (c, next) => {
    const secret = /^bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    const { project, key } = await projects.authenticate(secret, c.req.header("openai-project"));
    c.set("project", project);
    c.set("key", key);
    c.header("openai-organization", project.organization_id);
    await next();
  };
}
