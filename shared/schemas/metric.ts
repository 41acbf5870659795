/** Metrics: what feedback measures, declared before it is given. */
import { z } from "@hono/zod-openapi";
import { isOwnName, notOwnName } from "./ownName.ts";

/** Short enough to stand behind `feedback_` as a key of metadata. */
export const MetricName = z
  .string()
  .min(1)
  .max(55)
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/, "a letter, then letters, digits, '_' and '-'")
  .refine(isOwnName, notOwnName)
  .openapi({
    description: "A letter, then letters, digits, `_` and `-`: 55 characters at most.",
    example: "solved_at_once",
  });

/** Every project has these; the rest is declared. */
export const builtInMetrics = ["comment", "demonstration"] as const;

const settings = {
  type: z.enum(["boolean", "float"]).openapi({ description: "Of its values: `true` and `false`, or any number." }),
  level: z
    .enum(["inference", "episode"])
    .openapi({ description: "What it is given on: one inference, or an episode as a whole." }),
  optimize: z.enum(["min", "max"]).openapi({ description: "Which way is better; of booleans, `max` means true." }),
};

export const CreateMetric = z
  .strictObject({
    name: MetricName,
    ...settings,
    description: z.string().max(1000).nullish().openapi({ description: "For people. Declared again, it changes." }),
  })
  .openapi("CreateMetric");
export type CreateMetric = z.infer<typeof CreateMetric>;

export const Metric = z
  .object({
    id: z.string().openapi({ description: "The name again, which is what `after` takes." }),
    object: z.literal("metric").openapi({ description: "Always `metric`." }),
    name: z.string().openapi({ description: "By which feedback names it." }),
    ...settings,
    description: z.string().nullable().openapi({ description: "For people; null: none." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
  })
  .openapi("Metric");
export type Metric = z.infer<typeof Metric>;

export const DeletedMetric = z
  .object({
    id: z.string().openapi({ description: "The name it had." }),
    object: z.literal("metric.deleted").openapi({ description: "Always `metric.deleted`." }),
    deleted: z.boolean().openapi({ description: "Always true: the metric is gone." }),
  })
  .openapi("DeletedMetric");

/** The row. */
export const MetricRecord = Metric.extend({
  project_id: z.string(),
  /** Whether feedback was ever given on it; then it stays. */
  is_used: z.boolean().default(false),
});
export type MetricRecord = z.infer<typeof MetricRecord>;
