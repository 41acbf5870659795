/** A variant's parameters under a request's own: what the request says itself stands. */
import type { z } from "zod";
import type { Variant } from "../schemas/function.ts";
import type { Endpoint } from "./endpoint.ts";

/** Names that endpoints have for one thing: where the request uses one of them, the variant is not asked. */
const namesOf: Record<string, readonly string[]> = {
  max_tokens: ["max_completion_tokens", "max_tokens", "max_output_tokens"],
};

type Named = Record<string, unknown>;

/** The request as the endpoint is to have it, the variant's model in the place of the function. */
export function asVariant<Request>(
  { schema }: Pick<Endpoint<Request, unknown>, "schema">,
  request: Request,
  { model, parameters = {} }: Variant,
): Request {
  const own = request as Named;
  const fields = fieldsOf(schema);
  const defaults: Named = {};
  for (const [parameter, value] of Object.entries(parameters)) {
    const names = namesOf[parameter] ?? [parameter];
    const field = names.find((name) => fields.has(name));
    if (field !== undefined && names.every((name) => own[name] == null)) defaults[field] = value;
  }
  return { ...own, ...defaults, model } as Request;
}

function fieldsOf(schema: z.ZodType): ReadonlySet<string> {
  return new Set("shape" in schema ? Object.keys(schema.shape as object) : []);
}
