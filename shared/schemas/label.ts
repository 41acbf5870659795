/** Labels: what a person said of a row of a queue; and the rows themselves, as labellers see them. */
import { z } from "@hono/zod-openapi";
import { isOwnName, notOwnName } from "./ownName.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });

const outcomes = ["labelled", "cannot_tell", "skipped"] as const;
export const Labeller = z
  .string()
  .max(128)
  .refine((name) => /^[\w.@:+-]+$/.test(name), "1 to 128 letters, digits and . @ : + - _")
  .refine(isOwnName, notOwnName)
  .openapi({
    description:
      "Who labels, by a name of your own: 1 to 128 letters, digits and `. @ : + - _`. Absent: the API key's id.",
  });

export const CreateLabel = z
  .strictObject({
    item_id: described(z.string().min(1).max(64), "The row, `lqi_…`, which was given to this labeller."),
    labeller: Labeller.optional(),
    label: described(
      z.string().min(1).max(512).optional(),
      "The label; wanted where the row is labelled, and only there.",
    ),
    outcome: described(
      z.enum(outcomes).optional(),
      "`labelled` (default); `cannot_tell`: looked at, but nobody could say by this text; `skipped`: left to another labeller.",
    ),
  })
  .openapi("CreateLabel");
export type CreateLabel = z.infer<typeof CreateLabel>;

/** Of one labeller on one item. */
export const Answer = z.object({
  id: z.string(),
  outcome: z.enum(outcomes),
  label: z.string().nullable(),
  created_at: z.int(),
});
export type Answer = z.infer<typeof Answer>;

export const Label = z
  .object({
    id: described(z.string(), "`label_…`"),
    object: described(z.literal("label"), "Always `label`."),
    item_id: described(z.string(), "The row."),
    queue_id: described(z.string(), "The queue that the row is in."),
    labeller: described(z.string(), "Who."),
    outcome: described(z.enum(outcomes), "`labelled`, `cannot_tell` or `skipped`."),
    label: described(z.string().nullable(), "The label; null of the other outcomes."),
    created_at: described(z.int(), "Unix time in seconds."),
  })
  .openapi("Label");
export type Label = z.infer<typeof Label>;

const InferenceOrigin = z.object({
  type: described(z.literal("inference"), "What a model was asked."),
  inference_id: described(z.string(), "`req_…`"),
});
const RowOrigin = z.object({
  type: described(z.literal("dataset"), "A row of a dataset version."),
  dataset: described(z.string(), "The dataset's name."),
  version: described(z.int(), "The version's number."),
  row: described(z.string(), "The row's id."),
  line: described(z.int(), "Its line in the version's content, from 1."),
});
export const ItemOrigin = z.discriminatedUnion("type", [InferenceOrigin, RowOrigin]);
export type ItemOrigin = z.infer<typeof ItemOrigin>;

const Suggestion = z.object({
  label: described(z.string(), "A label."),
  probability: described(z.number(), "0 to 1, by whoever the strategy went by."),
});

const itemFields = {
  id: described(z.string(), "`lqi_…`"),
  queue_id: described(z.string(), "The queue."),
  place: described(z.int(), "From 0: the first to be labelled."),
  origin: described(ItemOrigin, "Where the row is from."),
  given: described(z.string().nullable(), "The row's label, or the model's answer; null: none is known."),
  score: described(
    z.number().nullable(),
    "What put it there: the greater, the earlier; null of `diversity`, where the order says it all.",
  ),
  suggestions: described(z.array(Suggestion), "The likeliest labels, at most five."),
  state: described(z.enum(["open", "closed"]), "Whether it wants further labellers."),
};

export const LabelItem = z
  .object({
    ...itemFields,
    object: described(z.literal("label_queue.item"), "Always `label_queue.item`."),
    text: described(z.string().nullable(), "The row's text; null where its inference is gone."),
    answers: described(z.array(Label), "What labellers said of it, in the order of their names."),
  })
  .openapi("LabelItem");
export type LabelItem = z.infer<typeof LabelItem>;

/** What a labeller is to look at: without what others said. */
export const LeasedItem = LabelItem.omit({ answers: true })
  .extend({
    lease_expires_at: described(
      z.int(),
      "Unix time in seconds until which nobody else is given this place at the row.",
    ),
  })
  .openapi("LeasedLabelItem");
export type LeasedItem = z.infer<typeof LeasedItem>;

/** The row. */
export const LabelItemRecord = z.object({
  ...itemFields,
  project_id: z.string(),
  /** Null of an inference, which is read where it lies, so that nothing of it is left when it is gone. */
  text: z.string().nullable(),
  /** Of the dataset row, or the inference's episode. */
  subjects: z.array(z.string()),
  overlap: z.int(),
  /** By labeller. */
  answers: z.record(z.string(), Answer),
  /** By labeller: Unix time in milliseconds. */
  leases: z.record(z.string(), z.number()),
  /** Counts the changes, so that of two at once one looks again. */
  revision: z.int(),
});
export type LabelItemRecord = z.infer<typeof LabelItemRecord>;
