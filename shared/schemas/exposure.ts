/** Exposures: that a unit met an arm of an experiment, written once, with what became of the call that exposed it. */
import { z } from "zod";
import { UnitKind } from "./assignment.ts";

/** The row. */
export const ExposureRecord = z.object({
  project_id: z.string(),
  experiment_id: z.string(),
  /** Digest of the unit. */
  unit: z.string(),
  unit_kind: UnitKind,
  arm: z.int().min(0),
  stage: z.int().min(0),
  /** The call that exposed it, recorded or not. */
  inference_id: z.string(),
  /** Of that call; null: of none. */
  episode_id: z.string().nullable(),
  /** Milliseconds; null: there was no answer, or not to its end. */
  latency_ms: z.number().nullable(),
  is_error: z.boolean(),
  is_refusal: z.boolean(),
  /** Unix time in seconds. */
  created_at: z.int(),
  /** As that of the inference; null: never. */
  expires_at: z.int().nullable(),
});
export type ExposureRecord = z.infer<typeof ExposureRecord>;
