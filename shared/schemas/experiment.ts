/** Experiments: variants of a function compared on its own traffic by a metric of feedback. */
import { z } from "@hono/zod-openapi";
import { experimentStates } from "../experimentStates.ts";
import { CreateMetric } from "./metric.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });
const variantName = z.string().min(1).max(64);
const share = (description: string) => z.number().min(0).max(1).openapi({ description });

export const guardrailNames = ["latency_ms", "errors", "refusals"] as const;
export type GuardrailName = (typeof guardrailNames)[number];

const Guardrail = z.strictObject({
  name: described(z.enum(guardrailNames), "Of the call that exposed a unit: milliseconds, or how often it was one."),
  tolerance: z.number().min(0).openapi({
    description: "By how much an arm may exceed the control: milliseconds, or a difference of shares such as 0.01.",
  }),
});

const Fixed = z
  .strictObject({ type: z.literal("fixed").openapi({ description: "Always `fixed`: shares stay as they are." }) })
  .openapi("FixedMethod");

const Adaptive = z
  .strictObject({
    type: z.literal("adaptive").openapi({
      description: "Always `adaptive`: top-two Thompson sampling, whose shares follow what feedback says.",
    }),
    floor_share: z.number().min(0.01).max(0.5).optional().openapi({
      description: "No arm gets less, 0.01 to an equal share. Absent: half an equal share, at most 0.1.",
    }),
    leader_share: z.number().min(0.5).max(0.95).optional().openapi({
      description:
        "Of the two arms that are drawn as likely the best, how often the likelier is taken, 0.5 to 0.95: 0.5 finds the best soonest, more serves it meanwhile. Absent: 0.5, and of two arms, between which 0.5 would always be even, 0.8.",
    }),
    certainty: z.number().min(0.5).max(0.9999).optional().openapi({
      description: "It ends once an arm is the best with this chance, 0.5 to 0.9999. Absent: 0.99.",
    }),
    least_outcomes: z.int().min(20).max(1_000_000).optional().openapi({
      description: "It never ends before these many outcomes in each arm, 20 to 1,000,000. Absent: 100.",
    }),
    range: z
      .array(z.number())
      .min(2)
      .max(2)
      .optional()
      .openapi({
        description:
          "Least and greatest value of a float metric, which such needs; what lies outside counts as the nearer end.",
        example: [0, 1],
      }),
    promote_winner: z.boolean().optional().openapi({
      description: "Whether the arm that it ends with becomes the incumbent, unless a guardrail is broken. Absent: no.",
    }),
  })
  .openapi("AdaptiveMethod");

const Method = z.discriminatedUnion("type", [Fixed, Adaptive]);

const horizon = z.int().min(200).max(10_000_000);

export const CreateExperiment = z
  .strictObject({
    function: described(z.string().min(1).max(67), "Whose variants are compared; its incumbent is the control."),
    description: z.string().max(1000).nullish().openapi({ description: "For people: what is to be found out." }),
    method: Method.openapi({ description: "How units are shared among arms." }),
    metric_name: described(z.string().min(1).max(55), "A declared metric, by which arms are compared."),
    arms: z
      .array(
        z.strictObject({
          variant: described(variantName, "A variant of the function."),
          share: share(
            "Of the enrolled traffic; all arms say theirs, or none does, and they get equal ones.",
          ).optional(),
        }),
      )
      .min(2)
      .max(10)
      .openapi({
        description: "2 to 10 different variants, the incumbent among them.",
        example: [
          { variant: "first", share: 0.5 },
          { variant: "second", share: 0.5 },
        ],
      }),
    enrolled_share: share(
      "Of all units, those that take part; the incumbent answers the others. Absent: 1.",
    ).optional(),
    horizon: horizon.optional().openapi({
      description:
        "Outcomes of two arms at which their comparison is to be sharpest, 200 to 10,000,000; fixed before the first look. Absent: 2,000.",
    }),
    guardrails: z
      .array(Guardrail)
      .max(guardrailNames.length)
      .optional()
      .openapi({ description: "What may not get worse, each named once. All are told in results, tolerance or not." }),
  })
  .openapi("CreateExperiment");
export type CreateExperiment = z.infer<typeof CreateExperiment>;

export const RampExperiment = z
  .strictObject({
    enrolled_share: share("Of all units, those that take part from now on; as it grows, those within stay."),
  })
  .openapi("RampExperiment");
export type RampExperiment = z.infer<typeof RampExperiment>;

export const EndExperiment = z
  .strictObject({
    winner: variantName.nullish().openapi({
      description: "The arm that becomes the function's incumbent in the same write; null: the incumbent stays.",
      example: "second",
    }),
    reason: z.string().min(1).max(500).nullish().openapi({ description: "For those who read it later; null: none." }),
  })
  .openapi("EndExperiment");
export type EndExperiment = z.infer<typeof EndExperiment>;

const { type, level, optimize } = CreateMetric.shape;
const time = (description: string) => z.int().nullable().openapi({ description });

export const Experiment = z
  .object({
    id: described(z.string(), "`exp_…`"),
    object: z.literal("experiment").openapi({ description: "Always `experiment`." }),
    function: described(z.string(), "The function's name."),
    description: z.string().nullable().openapi({ description: "For people; null: none." }),
    status: described(z.enum(experimentStates), "While it is paused, the incumbent answers."),
    method: Method.openapi({ description: "As given, with what was absent." }),
    metric: z
      .object({ name: described(z.string(), "The metric."), type, level, optimize })
      .openapi({ description: "By which arms are compared, as it was declared." }),
    control: described(z.string(), "The arm that others are compared with: the incumbent when it began."),
    arms: z
      .array(
        z.object({
          variant: described(z.string(), "A variant of the function."),
          share: share("Of enrolled units that come now."),
        }),
      )
      .openapi({ description: "In the order given." }),
    enrolled_share: share("Of all units, those that take part."),
    horizon: horizon.openapi({ description: "Outcomes of two arms at which their comparison is sharpest." }),
    guardrails: z.array(Guardrail).openapi({ description: "As given." }),
    winner: z.string().nullable().openapi({ description: "The arm that it ended with; null: none yet, or none." }),
    end_reason: z.string().nullable().openapi({ description: "Why it ended; null: it has not, or nobody said." }),
    ended_by: z.string().nullable().openapi({ description: "Id of the API key, or of what ended it; null before." }),
    created_by: described(z.string(), "Id of the API key, or of what began it."),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
    ended_at: time("Unix time in seconds; null before."),
  })
  .openapi("Experiment");
export type Experiment = z.infer<typeof Experiment>;

/** The row. */
export const ExperimentRecord = Experiment.extend({
  project_id: z.string(),
  /** Shares that arms have had, first to last: those of a stage are the propensities of whom it assigned. */
  stages: z.array(z.array(z.number())),
  /** Counts changes, so that of two at once one is told to look again. */
  revision: z.int(),
});
export type ExperimentRecord = z.infer<typeof ExperimentRecord>;
