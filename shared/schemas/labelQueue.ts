/** Label queues: which rows people should label, in which order, and how many should look at each. */
import { z } from "@hono/zod-openapi";
import { builtByWorkers, builtFields } from "./built.ts";
import { datasetNamePattern } from "./dataset.ts";

export const labelStrategies = ["uncertainty", "disagreement", "diversity", "suspected_error"] as const;
export const LabelStrategy = z.enum(labelStrategies).openapi({
  description:
    "`uncertainty`: where the likeliest label leads the next by least. `disagreement`: where two answers differ. `diversity`: rows that between them are near to all. `suspected_error`: rows whose label, or whose model's answer, n-grams of all other rows contradict.",
});
export type LabelStrategy = z.infer<typeof LabelStrategy>;

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });
const time = (description: string) => described(z.int().min(0).optional(), description);
const name = (description: string) => described(z.string().min(1).max(512).optional(), description);

const InferenceRows = z.strictObject({
  type: described(
    z.literal("inferences"),
    "What models were asked, where input was kept; the newest, and each text once.",
  ),
  model: name("Of this model alone."),
  function: name("Of this function alone."),
  created_after: time("Unix time in seconds; from it on."),
  created_before: time("Unix time in seconds; before it."),
});
const DatasetRows = z.strictObject({
  type: described(z.literal("dataset"), "Rows of a dataset version."),
  dataset: z.string().regex(datasetNamePattern).openapi({ description: "The dataset's name.", example: "intents" }),
  version: z.int().min(1).openapi({ description: "The version's number.", example: 1 }),
});
const LabelledRows = z.strictObject({
  type: described(
    z.literal("labels"),
    "Rows of another queue, of which its labellers disagree. For `disagreement` alone.",
  ),
  queue_id: described(z.string().min(1).max(64), "The other queue, `lq_…`."),
});
export const LabelRows = z
  .discriminatedUnion("type", [InferenceRows, DatasetRows, LabelledRows])
  .openapi("LabelRows", { description: "The rows to choose from." });
export type LabelRows = z.infer<typeof LabelRows>;

const choices = {
  model: name(
    "Whose answers decide. `uncertainty`: default, the recorded answers, and for datasets n-grams of the other rows. `disagreement`: against the recorded answer, or the row's label; default: feedback against the recorded answer. `diversity`: whose vectors; default, hashed n-grams.",
  ),
  labels: described(
    z.array(z.string().min(1).max(512)).min(2).max(1000).optional(),
    "The labels to choose from; any other is refused. Absent: any text is a label.",
  ),
  size: described(z.int().min(1).max(1000).optional(), "How many rows are queued, 1 to 1,000. Default: 100."),
  overlap: described(z.int().min(1).max(10).optional(), "How many labellers look at each row, 1 to 10. Default: 1."),
};

export const CreateLabelQueue = z
  .strictObject({ source: LabelRows, strategy: LabelStrategy, ...choices })
  .openapi("CreateLabelQueue");
export type CreateLabelQueue = z.infer<typeof CreateLabelQueue>;

export const LabelQueue = z
  .object({
    id: described(z.string(), "`lq_…`"),
    object: described(z.literal("label_queue"), "Always `label_queue`."),
    ...builtFields,
    source: LabelRows,
    strategy: LabelStrategy,
    model: described(z.string().nullable(), "As asked for; null: none was."),
    labels: described(z.array(z.string()).nullable(), "The labels to choose from; null: any text."),
    size: described(z.int(), "How many rows were asked for."),
    overlap: described(z.int(), "How many labellers look at each row."),
    candidates: described(z.int().nullable(), "How many rows there were to choose from; null before it is ready."),
    items: described(z.int().nullable(), "How many rows are queued; null before it is ready."),
  })
  .openapi("LabelQueue");
export type LabelQueue = z.infer<typeof LabelQueue>;

/** The row. */
export const LabelQueueRecord = LabelQueue.extend({
  ...builtByWorkers,
  /** Items of a lower place are all closed. */
  closed_below: z.int().min(0),
});
export type LabelQueueRecord = z.infer<typeof LabelQueueRecord>;

const share = (description: string) => described(z.number().nullable(), description);

export const LabelAgreement = z
  .object({
    object: described(z.literal("label_queue.agreement"), "Always `label_queue.agreement`."),
    queue_id: described(z.string(), "The queue."),
    alpha: share(
      "Krippendorff's alpha of the labels, nominal: 1 where all agree, 0 where they do as by chance; null where no row has two labels, or all are the same.",
    ),
    compared: described(z.int(), "Rows with two labels or more, which it rests on."),
    unanimous: described(z.int(), "Of which all labels are the same."),
    open: described(z.int(), "Rows that still want a labeller."),
    closed: described(z.int(), "Rows that want none."),
    labellers: described(
      z.array(
        z.object({
          labeller: described(z.string(), "Who."),
          labelled: described(z.int(), "Rows given a label."),
          cannot_tell: described(z.int(), "Rows of which they could not tell."),
          skipped: described(z.int(), "Rows left to others."),
          with_majority: share(
            "Of their labels on rows where more than half of the others agree, the share that is the same; null: there are none.",
          ),
        }),
      ),
      "By name.",
    ),
  })
  .openapi("LabelAgreement");
export type LabelAgreement = z.infer<typeof LabelAgreement>;
