/** Free-form labels a client hangs on an object, in OpenAI's limits. */
import { z } from "@hono/zod-openapi";

export const Metadata = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((value) => Object.keys(value).length <= 16, "at most 16 pairs")
  .openapi("Metadata", { description: "Up to 16 pairs; keys up to 64 characters, values up to 512." });
export type Metadata = z.infer<typeof Metadata>;
