/** Promotions: one turn of a function's policy each, from its data to the model that answers, with every figure on the way. */
import { z } from "@hono/zod-openapi";
import { promotionStates, promotionSteps } from "../promotionStates.ts";
import { Lease } from "./lease.ts";
import { Policy } from "./policy.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });
const figure = (description: string) => z.number().openapi({ description });
const count = (description: string) => z.int().openapi({ description });

const Data = z
  .object({
    items: count("New labels that were compared."),
    before: figure("Share of earlier labels that agree with what the other rows say."),
    now: figure("Share of the new ones that do."),
    p_value: figure("Of labels that agree less by the slack looking as bad as these."),
    passed: described(z.boolean(), "Whether they may be learned from."),
  })
  .openapi("PromotionData");

const Paired = z.object({
  items: count("Items compared."),
  candidate: figure("Share that the candidate has right."),
  incumbent: figure("Share that the incumbent has right."),
  difference: figure("The candidate's less the incumbent's."),
  margin: figure("By how much it may be less."),
  p_value: figure("Of a candidate that is worse by the margin looking as good as this."),
  passed: described(z.boolean(), "Whether being worse by the margin is refuted."),
});

const Offline = z
  .object({
    passed: described(z.boolean(), "Whether all was passed."),
    reasons: z.array(z.string()).openapi({
      description: "What was not: `worse_on_frozen`, `worse_on_recent`, `class_fell`.",
    }),
    frozen: Paired.openapi({ description: "On the frozen test set." }),
    recent: Paired.nullable().openapi({
      description: "On judged answers that nothing was learned from; null: too few.",
    }),
    classes: z
      .array(
        z.object({
          label: described(z.string(), "The class."),
          items: count("Its test rows."),
          difference: figure("Share right: the candidate's less the incumbent's."),
          p_value: figure("Corrected for the number of classes."),
          has_fallen: described(z.boolean(), "Whether it has fallen by more than is allowed."),
        }),
      )
      .openapi({ description: "The worst first, ten at most." }),
  })
  .openapi("PromotionOffline");

const Step = z
  .object({
    from: z.enum(promotionStates).nullable().openapi({ description: "Null: the first." }),
    to: z.enum(promotionStates).openapi({ description: "What it became." }),
    at: z.int().openapi({ description: "Unix time in seconds." }),
    by: described(z.string(), "`policy`, or the id of the API key that asked."),
    reason: described(z.string(), "Why."),
  })
  .openapi("PromotionStep");

export const Promotion = z
  .object({
    id: described(z.string(), "`promo_…`"),
    object: z.literal("promotion").openapi({ description: "Always `promotion`." }),
    function: described(z.string(), "The function's name."),
    turn: count("1 for the policy's first."),
    status: described(z.enum(promotionStates), "`promoted`, `rejected` and `rolled_back` want no worker any more."),
    step: described(z.enum(promotionSteps), "Where it stands or, held or stopped, where it stood."),
    trigger: described(z.enum(["new_rows", "schedule", "drift", "manual"]), "What began it."),
    incumbent: described(z.string(), "The variant that answered when it began."),
    candidate: described(z.string(), "The variant that it makes."),
    dataset_version: described(z.string(), "Id of the version that it learns from."),
    fine_tuning_job: described(z.string(), "Id of the job that trains the candidate; it is there once training began."),
    model: z.string().nullable().openapi({ description: "The candidate's model; null before." }),
    experiment_id: z.string().nullable().openapi({ description: "The canary's; null: none yet, or none." }),
    data: Data.nullable().openapi({ description: "What was found of the labels; null before." }),
    offline: Offline.nullable().openapi({ description: "Candidate and incumbent before anybody met it; null before." }),
    canary: z
      .object({
        share: figure("The candidate's share of the traffic."),
        outcomes: count("Judged answers of both so far."),
        difference: figure("The metric's mean: the candidate's less the incumbent's."),
        lower: z.number().nullable().openapi({ description: "Of the difference; null: too little is known." }),
        upper: z.number().nullable().openapi({ description: "Of the difference; null: too little is known." }),
        decision: described(z.string(), "What followed from it."),
      })
      .nullable()
      .openapi({ description: "What users say of it; null before." }),
    history: z.array(Step).openapi({ description: "Every change of its state, oldest first." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    finished_at: z.int().nullable().openapi({ description: "Unix time of its end; null before." }),
  })
  .openapi("Promotion");
export type Promotion = z.infer<typeof Promotion>;
export type PromotionHistory = Promotion["history"][number];

/** The row. */
export const PromotionRecord = Promotion.extend({
  project_id: z.string(),
  /** As it was when the turn began: what is asked of a candidate does not change under way. */
  policy: Policy.pick({
    recipe: true,
    test_set: true,
    training: true,
    metric_name: true,
    gate: true,
    canary: true,
    budget: true,
  }),
  /** The dataset version whose rows are not new; null: that of the test set. */
  passed_version: z.string().nullable(),
  lease: Lease.nullable(),
  failures: z.int().min(0),
});
export type PromotionRecord = z.infer<typeof PromotionRecord>;
