/** Which feedback on an inference or an episode counts, as their rows keep it. */
import { z } from "zod";

export const InForce = z.object({
  /** Of the feedback. */
  id: z.string(),
  metric_name: z.string(),
  /** Null where it is a text or JSON, which the feedback's own row has. */
  value: z.union([z.boolean(), z.number()]).nullable(),
  /** Of the value, to tell the same from another. */
  digest: z.string(),
  /** Unix time in seconds. */
  created_at: z.int(),
  expires_at: z.int().nullable(),
});
export type InForce = z.infer<typeof InForce>;

/** What a row that feedback is given on has besides its own. */
export const judgedFields = {
  /** By metric; of comments, which stand beside each other, by metric and digest. */
  feedback: z.record(z.string(), InForce).default({}),
  /** Counts the changes of `feedback`, so that of two at once one is told to look again. */
  feedback_revision: z.int().default(0),
};

export type FeedbackInForce = Record<string, InForce>;
