/** Lists and ranges in a query as SDKs send them: `ids[]=a&ids[]=b`, `time[gte]=1`. Plainly repeated names will do, too. */
import { z } from "@hono/zod-openapi";
import { toApiError } from "../../shared/validation.ts";

const most = 100;

/** A list of the query: what the contract says of it. */
export function listParameter<Item extends z.ZodType<string>>(item: Item, description: string) {
  const list = z.array(item).max(most);
  return z
    .preprocess((value) => (value === undefined ? value : [value].flat()), list.optional())
    .openapi({ description: `${description} As \`name[]=…\`, as often as there are values.` });
}

/** A range of times; what begins with its name and a bracket, `rangeIn` reads. */
export function timesParameter(name: string, description: string) {
  const bound = (description: string) => ({ type: "integer" as const, minimum: 0, description });
  return z
    .never()
    .optional()
    .openapi({
      param: { name, in: "query", style: "deepObject", explode: true },
      type: "object",
      properties: {
        gt: bound("After it."),
        gte: bound("Not before it."),
        lt: bound("Before it."),
        lte: bound("Not after it."),
      },
      description,
    });
}

type Queries = Record<string, string[]>;

/** The lists of these names, in both spellings; throws naming the one at fault. */
export function listsIn<Shape extends z.ZodRawShape>(queries: Queries, shape: Shape): z.infer<z.ZodObject<Shape>> {
  const given = Object.keys(shape).map((name) => {
    const values = [...(queries[name] ?? []), ...(queries[`${name}[]`] ?? [])];
    return [name, values.length ? values : undefined] as const;
  });
  return parsed(z.object(shape), Object.fromEntries(given));
}

const Times = z.strictObject({
  gt: z.coerce.number().int().min(0).optional(),
  gte: z.coerce.number().int().min(0).optional(),
  lt: z.coerce.number().int().min(0).optional(),
  lte: z.coerce.number().int().min(0).optional(),
});

/** The bounds of the range of this name: those that were sent, and no others. */
export function timesIn(queries: Queries, name: string): Record<"gt" | "gte" | "lt" | "lte", number | undefined> {
  const bounds = Object.entries(queries).flatMap(([key, values]) => {
    const bound = key.startsWith(`${name}[`) && key.endsWith("]") ? key.slice(name.length + 1, -1) : undefined;
    return bound === undefined ? [] : [[bound, values.length === 1 && values[0] !== "" ? values[0] : Number.NaN]];
  });
  const { [name]: times } = parsed(z.object({ [name]: Times }), { [name]: Object.fromEntries(bounds) });
  const { gt, gte, lt, lte } = times!;
  return { gt, gte, lt, lte };
}

function parsed<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const result = schema.safeParse(data);
  if (!result.success) throw toApiError(result.error.issues[0]!, data);
  return result.data;
}
