/** Unknown paths are 404; known paths asked with another method are 405 and say which methods there are. */
import type { NotFoundHandler } from "hono";
import { ApiError } from "../../shared/errors.ts";
import type { Env, Router } from "../router.ts";
import { answerError } from "./errors.ts";

export function notFoundHandler(app: Router): NotFoundHandler<Env> {
  return (c) => {
    const methods = methodsOf(app, c.req.path);
    if (methods.length === 0) {
      return answerError(c, new ApiError("unknown_url", `Unknown request URL: ${c.req.method} ${c.req.path}.`));
    }
    c.header("allow", methods.join(", "));
    const message = `${c.req.method} is not allowed on ${c.req.path}; allowed: ${methods.join(", ")}.`;
    return answerError(c, new ApiError("method_not_allowed", message));
  };
}

function methodsOf(app: Router, path: string): string[] {
  const routes = app.openAPIRegistry.definitions.filter((definition) => definition.type === "route");
  const methods = routes
    .filter(({ route }) => patternOf(route.path).test(path))
    .map(({ route }) => route.method.toUpperCase());
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);
}
