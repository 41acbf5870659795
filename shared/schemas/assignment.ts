/** What a call of a function became: decided once, and carried by whatever comes of the call. */
import { z } from "zod";

/** What an experiment's results are counted by. */
export const UnitKind = z.enum(["person", "episode", "inference"]);
export type UnitKind = z.infer<typeof UnitKind>;

export const Unit = z.object({
  kind: UnitKind,
  /** Digest of who or what it is: exposures hold no names. */
  key: z.string(),
});
export type Unit = z.infer<typeof Unit>;

export const Assignment = z.object({
  /** Its name. */
  function: z.string(),
  /** Of the variant that answers. */
  variant: z.string(),
  unit: Unit,
  /** Null: no experiment assigned the variant. */
  experiment: z
    .object({
      id: z.string(),
      arm: z.int().min(0),
      /** Of the experiment's shares, those by which the unit was assigned. */
      stage: z.int().min(0),
    })
    .nullable(),
});
export type Assignment = z.infer<typeof Assignment>;
