/** A router whose contracts are enforced, and what middleware leaves on the context for its handlers. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Project } from "../shared/schemas/project.ts";
import { refuseInvalid } from "./validation.ts";

export interface Env {
  Variables: {
    requestId: string;
    /** Set behind the door that asks for a key. */
    project: Project;
    /** Id of the API key, likewise. */
    key: string;
    /** The id by which a request that was sent before is known, and after which what it makes is named. */
    claimed?: string;
  };
}

export type Router = OpenAPIHono<Env>;

export function newRouter(): Router {
  return new OpenAPIHono<Env>({ defaultHook: refuseInvalid });
}
