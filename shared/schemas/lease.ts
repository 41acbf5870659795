/** The lease on a row that a worker works on. */
import { z } from "zod";

/** Held by the worker at work; who does not hold it writes nothing. */
export const Lease = z.object({
  attempt_id: z.string(),
  /** Unix time in milliseconds. */
  expires_at: z.number(),
});
export type Lease = z.infer<typeof Lease>;
