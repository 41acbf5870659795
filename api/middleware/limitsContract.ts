/** What the contract of every operation that a project's key opens says of limits. */
import type { OpenApiDocument } from "../document.ts";

type Path = NonNullable<OpenApiDocument["paths"]>[string];
type Operation = NonNullable<Path["get"]>;

const refused = {
  description:
    "`rate_limit_exceeded`: wait, as long as `retry-after-ms` says (`x-should-retry: true`). `insufficient_quota`: what the project may store or spend is used up, and asking again does not help (`x-should-retry: false`); where work would cost more than is left, `quote` says how much. `queue_full`: too many requests wait.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/ErrorResponse" } } },
};

const asKey = (requirement: object) => "key" in requirement;

export function describeLimits(methods: object): void {
  for (const operation of Object.values(methods) as Operation[]) {
    if (operation.security?.some(asKey)) operation.responses = { ...operation.responses, 429: refused };
  }
}
