/** What the contracts of all resources share: bodies, paging, and the errors that any of them may answer. */
import { z } from "@hono/zod-openapi";
import { type IdKind, idPattern } from "../../shared/ids.ts";
import { ErrorResponse } from "../../shared/schemas/error.ts";

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});

export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { "application/json": { schema: atOnce(schema) } },
});

/** Nothing in a body's schema waits, and zod's way of checking what may wait takes three times as long. */
function atOnce<Schema extends z.ZodType>(schema: Schema): Schema {
  const safeParseAsync: Schema["safeParseAsync"] = async (value, context) => schema.safeParse(value, context);
  return Object.assign(schema, { safeParseAsync });
}

/** An answer that is sent whole, or as events while it is made. */
export const events = <Whole extends z.ZodType, Event extends z.ZodType>(
  whole: Whole,
  event: Event,
  description: string,
) => ({
  description,
  content: { "application/json": { schema: whole }, "text/event-stream": { schema: event } },
});

export const failures = {
  400: json(ErrorResponse, "Something in the request is wrong; `param` names it."),
  401: json(ErrorResponse, "No API key, or one that opens nothing."),
  403: json(ErrorResponse, "The API key is not for this: another sort of key, or a scope, is missing."),
  404: json(ErrorResponse, "No such thing in this project."),
  500: json(ErrorResponse, "Our fault; try again."),
} as const;

export const conflict = { 409: json(ErrorResponse, "Not possible in the state it is in.") } as const;
export const tooLarge = { 413: json(ErrorResponse, "The body is larger than allowed.") } as const;
export const wrongMediaType = { 415: json(ErrorResponse, "The body has the wrong content type.") } as const;
export const overloaded = {
  429: json(ErrorResponse, "Too many requests wait; try again in a moment."),
  503: json(ErrorResponse, "Too busy; try again in a moment."),
  504: json(
    ErrorResponse,
    "`answer_pending`: a worker is still at work on it. The same body with `x-stainless-retry-count` from 1 on, as SDKs send it by themselves, or with the same `Idempotency-Key`, finds the answer within ten minutes.",
  ),
} as const;

/** What costs something is refused where a project's month has no room for it. */
export const quotaExceeded = {
  429: json(
    ErrorResponse,
    "`insufficient_quota`: the project's monthly limit has no room for it; `quote` says what it is expected to cost, and what is left. Trying again does not help.",
  ),
} as const;

export const idParams = (description: string) =>
  z.object({ id: z.string().openapi({ param: { name: "id", in: "path" }, description }) });

/** Ids sort by time, so a position needs no item to be there still; but it must look like one. */
const after = (kind: IdKind) =>
  z
    .string()
    .regex(idPattern(kind), "not an id of this list")
    .optional()
    .openapi({ description: "Id of the last item seen; the page begins behind it." });

const limit = (maximum: number, usual: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(maximum)
    .default(usual)
    .openapi({
      type: "integer",
      minimum: 1,
      maximum,
      default: usual,
      description: `Items on a page, 1 to ${maximum}.`,
    });

export const paging = (kind: IdKind, limits: { maximum: number; usual: number }) =>
  z.object({ after: after(kind), limit: limit(limits.maximum, limits.usual) });
