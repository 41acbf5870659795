/** Policies: when a function's model is trained anew, on what, and what it must pass before it answers. */
import { z } from "@hono/zod-openapi";
import { CreateDatasetVersion, datasetNamePattern } from "./dataset.ts";
import { CreateFineTuningJob, Hyperparameters } from "./fineTuningJob.ts";
import { Lease } from "./lease.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });
const portion = (description: string, most = 0.5) =>
  z
    .number()
    .min(0.0001)
    .max(most)
    .optional()
    .openapi({ description: `${description} 0.0001 to ${most}.` });
const count = (description: string, least: number, most: number) =>
  z.int().min(least).max(most).optional().openapi({ description });

const Trigger = z
  .strictObject({
    new_rows: count("So many answers were judged since the last turn began, 1 to 1,000,000.", 1, 1_000_000),
    every_seconds: count(
      "So long after the last turn began, where any answer was judged since: a minute to a year.",
      60,
      31_536_000,
    ),
    drift: z.boolean().optional().openapi({
      description:
        "What comes in, is answered or is said of answers has moved since the incumbent became it: looked at four times a day, of which one in a hundred is a false alarm.",
    }),
  })
  .openapi("PolicyTrigger", { description: "What begins a turn; whichever comes first." });

const Recipe = z
  .strictObject({
    dataset: z.string().regex(datasetNamePattern).openapi({
      description: "Of this dataset, a version is built each turn.",
      example: "intents",
    }),
    sources: CreateDatasetVersion.shape.sources,
    splits: CreateDatasetVersion.shape.splits,
  })
  .openapi("PolicyRecipe", { description: "What a turn learns from." });

const TestSet = z
  .strictObject({
    dataset: z.string().regex(datasetNamePattern).openapi({ description: "A dataset.", example: "intents" }),
    version: z
      .int()
      .min(1)
      .openapi({ description: "Of which version the test rows are the frozen test set.", example: 1 }),
  })
  .openapi("PolicyTestSet", {
    description:
      "What candidates and incumbents are compared on, turn after turn; what a candidate learned from is left out.",
  });

const Training = z
  .strictObject({
    model: CreateFineTuningJob.shape.model,
    hyperparameters: Hyperparameters.nullish().openapi({ description: "Null: chosen from the data, each turn anew." }),
    seed: CreateFineTuningJob.shape.seed,
  })
  .openapi("PolicyTraining", { description: "The supervised fine-tuning job that makes a candidate." });

const Gate = z
  .strictObject({
    margin: portion(
      "On the frozen test set, how much worse a candidate is that passes with a chance of `alpha`. Absent: 0.005.",
    ),
    recent_margin: portion("The same on judged answers that nothing was learned from. Absent: 0.05."),
    alpha: portion("The chance that a candidate that is worse by a margin passes. Absent: 0.05."),
    recent_items: count(
      "With fewer such answers the frozen test set alone decides, 1 to 100,000. Absent: 100.",
      1,
      100_000,
    ),
    class_drop: portion("How far no class may be shown to have fallen. Absent: 0.1.", 0.9),
    class_items: count("Classes with fewer test rows are not judged, 1 to 100,000. Absent: 20.", 1, 100_000),
    data_slack: portion(
      "How much less new labels may agree with what the other rows say than earlier ones do. Absent: 0.1.",
    ),
    data_alpha: portion("The chance to stop new labels that agree less by the slack. Absent: 0.01."),
  })
  .openapi("PolicyGate", { description: "What a turn's labels and its candidate must pass." });

const Canary = z
  .strictObject({
    shares: z
      .array(z.number().min(0.01).max(0.5))
      .min(1)
      .max(10)
      .openapi({
        description: "The candidate's shares of the traffic, one after the other, none less than the one before.",
        example: [0.1, 0.5],
      }),
    outcomes: count(
      "Judged answers of both after which a share is done, 200 to 1,000,000. Absent: 2,000.",
      200,
      1_000_000,
    ),
    patience_seconds: count(
      "After so long without as many, a human is to decide: a minute to a year. Absent: a week.",
      60,
      31_536_000,
    ),
  })
  .openapi("PolicyCanary", { description: "What users say of the candidate, before it answers all of them." });

const Budget = z
  .strictObject({
    turns_per_day: count("Turns that begin by themselves, 1 to 1,000 in 24 hours. Absent: 24.", 1, 1000),
    job_seconds: count("A training that takes longer is cancelled, a minute to a week. Absent: a day.", 60, 604_800),
  })
  .openapi("PolicyBudget", { description: "What turns may cost." });

export const PutPolicy = z
  .strictObject({
    trigger: Trigger.nullish().openapi({ description: "What begins a turn; null: only `POST …/turn` does." }),
    recipe: Recipe,
    test_set: TestSet,
    training: Training,
    metric_name: z.string().min(1).max(55).nullish().openapi({
      description: "A boolean metric on inferences: whether an answer was right. Null: demonstrations alone say.",
    }),
    gate: Gate.nullish().openapi({ description: "Null: as measured to be good." }),
    canary: Canary.nullish().openapi({ description: "Null: who passes the gate answers at once. Needs a metric." }),
    budget: Budget.nullish().openapi({ description: "Null: a turn an hour at most, a day of training each." }),
  })
  .openapi("PutPolicy");
export type PutPolicy = z.infer<typeof PutPolicy>;

const required = <Shape extends z.ZodRawShape>(object: z.ZodObject<Shape>) => object.required();

export const Policy = z
  .object({
    id: described(z.string(), "The function's name."),
    object: z.literal("policy").openapi({ description: "Always `policy`." }),
    function: described(z.string(), "The function's name."),
    trigger: Trigger.nullable().openapi({ description: "As given; null: none." }),
    recipe: Recipe,
    test_set: TestSet,
    training: z
      .object({
        model: described(z.string(), "The base model."),
        hyperparameters: Hyperparameters,
        seed: z.int().nullable().openapi({ description: "Null: drawn anew each turn." }),
      })
      .openapi({ description: "How a candidate is trained." }),
    metric_name: z.string().nullable().openapi({ description: "As given; null: none." }),
    gate: required(Gate).openapi({ description: "As given, with what was absent." }),
    canary: required(Canary).nullable().openapi({ description: "As given, with what was absent; null: none." }),
    budget: required(Budget).openapi({ description: "As given, with what was absent." }),
    turns: z.int().openapi({ description: "How many have begun." }),
    promotion_id: z.string().nullable().openapi({ description: "The latest; null: none yet." }),
    turn_began_at: z
      .int()
      .openapi({ description: "Unix time of the last turn's begin; before the first, of the policy." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    updated_at: z.int().openapi({ description: "Unix time in seconds of the last change by a client." }),
  })
  .openapi("Policy");
export type Policy = z.infer<typeof Policy>;

export const policyStates = ["watching", "idle"] as const;

/** The row. */
export const PolicyRecord = Policy.extend({
  project_id: z.string(),
  /** Whether a worker looks at it by itself. */
  status: z.enum(policyStates),
  /** The dataset version whose labels passed last; null: that of the test set. */
  passed_version: z.string().nullable(),
  /** Unix time in seconds; drift is not looked for each time that a worker looks. */
  drift_looked_at: z.int().default(0),
  /** Counts changes, so that of two at once one is told to look again. */
  revision: z.int(),
  lease: Lease.nullable(),
  failures: z.int().min(0),
});
export type PolicyRecord = z.infer<typeof PolicyRecord>;
