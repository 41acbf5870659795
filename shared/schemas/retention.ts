/** How long what a project stores is kept, by kind; and the erasure of all of it. */
import { z } from "@hono/zod-openapi";
import { storedPurposes } from "./file.ts";

const days = (what: string) =>
  z
    .int()
    .min(1)
    .max(3650)
    .nullable()
    .default(null)
    .openapi({ example: 30, description: `Days that ${what} stay, 1 to 3,650; null: until they are deleted.` });

type Days = ReturnType<typeof days>;
const filesOf = (purpose: string) => days(`files of purpose \`${purpose}\``);
const ofFiles = Object.fromEntries(storedPurposes.map((purpose) => [purpose, filesOf(purpose)])) as Record<
  (typeof storedPurposes)[number],
  Days
>;

export const RetentionPolicy = z
  .strictObject({
    inference_days: days("inferences, stored chat completions among them, with their inputs, outputs and feedback,"),
    file_days: z.strictObject(ofFiles).prefault({}).openapi({
      description:
        "Files by purpose; results of batches are `batch_output`. One that unfinished work names stays until it is over.",
    }),
    eval_run_days: days("eval runs and their results, once over,"),
    checkpoint_days: days("checkpoints of jobs, once those are over, though not models,"),
    webhook_delivery_days: days("deliveries of webhooks, once they are over, and never more than 30,"),
  })
  .openapi("RetentionPolicy");
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

export const RetentionRecord = z.object({
  project_id: z.string(),
  revision: z.int(),
  policy: RetentionPolicy,
  /** Where the sweep goes on; null: at the beginning. */
  place: z.object({ kind: z.string(), after: z.string() }).nullable(),
  swept_at: z.int().nullable(),
});
export type RetentionRecord = z.infer<typeof RetentionRecord>;

export const ProjectRetention = z
  .object({
    object: z.literal("organization.project.retention").openapi({ description: "Always that." }),
    policy: RetentionPolicy.openapi({ description: "What is kept for how long." }),
    swept_at: z
      .int()
      .nullable()
      .openapi({ description: "When a sweep last went through all of it, Unix time in seconds; null: not yet." }),
    overdue: z
      .array(
        z.object({
          kind: z.string().openapi({ description: "As the policy names it." }),
          id: z.string().openapi({ description: "Its id." }),
        }),
      )
      .openapi({ description: "What is there although its time is over, the first hundred: none after a sweep." }),
  })
  .openapi("ProjectRetention");
export type ProjectRetention = z.infer<typeof ProjectRetention>;

export const ErasureRecord = z.object({
  organization_id: z.string(),
  /** Not `project_id`: rows with that go. */
  erased_project: z.string(),
  revision: z.int(),
  requested_at: z.int(),
  /** Where the look through the table goes on, as text; null: at the beginning. */
  cursor: z.string().nullable(),
  removed_rows: z.int(),
  removed_objects: z.int(),
  /** Removed since the look began; a look that found nothing is the last. */
  found: z.int(),
  finished_at: z.int().nullable(),
});
export type ErasureRecord = z.infer<typeof ErasureRecord>;

export const ProjectErasure = z
  .object({
    object: z.literal("organization.project.erasure").openapi({ description: "Always that." }),
    project_id: z.string().openapi({ description: "Whose data goes." }),
    status: z.enum(["none", "in_progress", "completed"]).openapi({
      description:
        "`none`: nobody asked for it; `completed`: a look through table and bucket found nothing of the project any more.",
    }),
    requested_at: z.int().nullable().openapi({ description: "Unix time in seconds; null: not at all." }),
    finished_at: z.int().nullable().openapi({ description: "Unix time in seconds; null: not yet." }),
    removed_rows: z.int().openapi({ description: "Rows removed so far." }),
    removed_objects: z.int().openapi({ description: "Objects removed so far." }),
  })
  .openapi("ProjectErasure");
export type ProjectErasure = z.infer<typeof ProjectErasure>;
