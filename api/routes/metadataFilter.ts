/** `?metadata[team]=x` lists what carries these labels, `?metadata=null` what carries none. */
import { z } from "@hono/zod-openapi";
import { ApiError } from "../../shared/errors.ts";
import { Metadata } from "../../shared/schemas/metadata.ts";
import { toApiError } from "../../shared/validation.ts";

/** The one form that a query parser sees under this name; the others are keys of their own. */
export const metadataParameter = z
  .literal("null")
  .optional()
  .openapi({
    param: { name: "metadata", in: "query", style: "deepObject", explode: true },
    type: "object",
    additionalProperties: { type: "string", maxLength: 512 },
    description: "`metadata[key]=value`, all of which must match; `metadata=null`: those without metadata.",
  });

export function metadataFilter(query: Record<string, string>): Record<string, string> | null | undefined {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    const key = /^metadata\[(.*)\]$/s.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  if (pairs.length === 0) return query.metadata === "null" ? null : undefined;
  if (query.metadata === "null") {
    throw new ApiError("invalid_value", "'metadata=null' excludes 'metadata[…]'.", { param: "metadata" });
  }
  const parsed = Metadata.safeParse(Object.fromEntries(pairs));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw toApiError({ ...issue, path: ["metadata", ...issue.path] }, { metadata: Object.fromEntries(pairs) });
}
