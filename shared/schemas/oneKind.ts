/** A list whose items are all texts, or all something else. */
import type { z } from "@hono/zod-openapi";

/** To be used by `superRefine`: the first item that is of another kind than the first has the issue. */
export function ofOneKind(input: string | readonly unknown[], context: z.RefinementCtx): void {
  if (typeof input === "string") return;
  const stranger = input.findIndex((item) => typeof item !== typeof input[0]);
  if (stranger < 0) return;
  context.addIssue({ code: "custom", path: [stranger], message: "every item must be of the same kind as the first" });
}
