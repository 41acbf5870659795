/** Episodes: sequences of inferences that share an outcome. */
import { z } from "zod";
import { judgedFields } from "./inForce.ts";

/** The row. */
export const EpisodeRecord = z.object({
  id: z.string(),
  project_id: z.string(),
  /** Unix time in seconds. */
  created_at: z.int(),
  /** Moves on with each of its inferences; null: never. */
  expires_at: z.int().nullable(),
  ...judgedFields,
});
export type EpisodeRecord = z.infer<typeof EpisodeRecord>;
