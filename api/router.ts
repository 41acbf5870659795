/** A router whose contracts are enforced, and what middleware leaves on the context for its handlers. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Actor } from "../shared/schemas/organization.ts";
import type { Project } from "../shared/schemas/project.ts";
import type { Opened } from "./services/keys.ts";
import { refuseInvalid } from "./validation.ts";

export interface Env {
  Variables: {
    requestId: string;
    /** Set behind the door that asks for a key. */
    opened: Opened;
    /** Who asks, likewise. */
    actor: Actor;
    /** Id of the API key. */
    key: string;
    /** Set with a project's key; an admin key opens no project, and no route that asks for one. */
    project: Project;
    /** The id by which a request that was sent before is known, and after which what it makes is named. */
    claimed?: string;
  };
}

export type Router = OpenAPIHono<Env>;

export function newRouter(): Router {
  return new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
}
