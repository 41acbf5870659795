/** What a key may be used for: a project's key within its scopes, an organization's by its bearer's role. */
import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { ApiError } from "../../shared/errors.ts";
import type { Scope } from "../../shared/schemas/apiKey.ts";
import { type Access, accessTo } from "../access.ts";
import type { Env } from "../router.ts";
import type { Opened } from "../services/keys.ts";

export const authorize: MiddlewareHandler<Env> = async (c, next) => {
  const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL");
  // What is no route will be answered as that.
  if (route) requireAccess(c.get("opened"), route.method, route.path.replaceAll(/:(\w+)/g, "{$1}"));
  await next();
};

/** Throws 403, saying what is missing. */
export function requireAccess(opened: Opened, method: string, path: string): void {
  const access = accessTo(method, path);
  if (opened.opens === "organization") requireRole(opened.role, access, method);
  else requireScope(opened.scopes, access);
}

function requireRole(role: string, access: readonly Access[], method: string): void {
  if (!access.includes("organization")) {
    throw new ApiError("project_key_required", "An admin key opens no project: send an API key of the project's.");
  }
  if (role !== "owner" && method !== "GET") {
    const message = `The owner of this admin key is a ${role} of the organization; only an owner changes it.`;
    throw new ApiError("permission_denied", message);
  }
}

function requireScope(scopes: readonly Scope[], access: readonly Access[]): void {
  const asked = access.filter((each) => each !== "organization");
  if (asked.length === 0) {
    throw new ApiError("admin_key_required", "A project's API key does not open this: send an admin key.");
  }
  if (asked.some((scope) => scopes.includes(scope))) return;
  const missing = asked.map((scope) => `'${scope}'`).join(" or ");
  throw new ApiError("missing_scope", `This API key has insufficient permissions. Missing scope: ${missing}.`);
}
