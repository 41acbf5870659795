/** What every row has that a worker builds once: how far it is, why it failed, and what only workers know. */
import { z } from "@hono/zod-openapi";
import { builtStates } from "../builtStates.ts";
import { Lease } from "./lease.ts";

export const builtFields = {
  status: z.enum(builtStates).openapi({ description: "`ready` and `failed` are final." }),
  error: z
    .object({
      code: z.string().openapi({ description: "Machine-readable cause." }),
      message: z.string().openapi({ description: "What went wrong and how to mend it." }),
      param: z.string().nullable().openapi({ description: "The field at fault, or null." }),
    })
    .nullable()
    .openapi({ description: "Why it failed; null otherwise." }),
  created_at: z.int().openapi({ description: "Unix time in seconds." }),
  finished_at: z.int().nullable().openapi({ description: "Unix time of the final state; null before." }),
};

/** The row's own. */
export const builtByWorkers = { project_id: z.string(), lease: Lease.nullable(), failures: z.int().min(0) };

/** As it is asked for. */
export const unbuilt = (project_id: string) => ({
  status: "building" as const,
  error: null,
  created_at: Math.floor(Date.now() / 1000),
  finished_at: null,
  project_id,
  lease: null,
  failures: 0,
});
