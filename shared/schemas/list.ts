/** The list body of every collection, and the paging query that goes with it. */
import { z } from "@hono/zod-openapi";

/** The SDK stops paging when `has_more` is missing, and takes the last item's `id` as the next `after`. */
export function listOf<Item extends z.ZodType>(item: Item, name: string) {
  return z
    .object({
      object: z.literal("list").openapi({ description: "Always `list`." }),
      data: z.array(item).openapi({ description: "The items of this page." }),
      has_more: z.boolean().openapi({ description: "Whether a further page exists." }),
      first_id: z
        .string()
        .nullable()
        .openapi({ description: "Id of the first item of this page; null when it is empty." }),
      last_id: z.string().nullable().openapi({ description: "Id of the last item of this page, to pass as `after`." }),
    })
    .openapi(name);
}

export interface Page<Item> {
  object: "list";
  data: Item[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
}

/** One page from a query that asked for `limit + 1` items. */
export function toPage<Item extends { id: string }>(items: Item[], limit: number): Page<Item> {
  const data = items.slice(0, limit);
  return {
    object: "list",
    data,
    has_more: items.length > limit,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
