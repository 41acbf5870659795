/** What a call of a function became: decided once, and carried by whatever comes of the call. */
import { z } from "zod";

export const Assignment = z.object({
  /** Its name. */
  function: z.string(),
  /** Of the variant that answers. */
  variant: z.string(),
});
export type Assignment = z.infer<typeof Assignment>;
