/** What an experiment has found so far. */
import { z } from "@hono/zod-openapi";
import { experimentStates } from "../experimentStates.ts";
import { guardrailNames } from "./experiment.ts";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });
const bound = (end: string) =>
  z
    .number()
    .nullable()
    .openapi({ description: `The interval's ${end} end; null: too little is known for one.` });

/** What is told of a difference: an arm's mean less the control's. */
const difference = {
  difference: described(z.number(), "The arm's mean less the control's."),
  lower: bound("lower"),
  upper: bound("upper"),
};

const Effect = z.object({
  ...difference,
  p_value: described(
    z.number(),
    "Below `alpha` exactly where 0 is outside the interval; may be looked at at any time.",
  ),
  verdict: described(
    z.enum(["better", "worse", "undecided"]),
    "By the metric's direction, once 0 is outside the interval.",
  ),
  variance_reduction: described(
    z.number(),
    "The part of the variance that was explained by what units' feedback said before the experiment, 0 to 1.",
  ),
});

const GuardrailResult = z.object({
  name: described(z.enum(guardrailNames), "What is guarded."),
  mean: z.number().nullable().openapi({ description: "Milliseconds, or a share; null: of no call." }),
  ...difference,
  tolerance: z.number().nullable().openapi({ description: "As declared; null: none." }),
  verdict: z
    .enum(["kept", "broken", "undecided"])
    .nullable()
    .openapi({ description: "Whether the difference is within the tolerance; null: none was declared." }),
});

export const ArmResult = z.object({
  variant: described(z.string(), "The variant."),
  is_control: described(z.boolean(), "Whether others are compared with it."),
  share: described(z.number(), "Of enrolled units that come now."),
  exposures: described(z.int(), "Units that met it."),
  outcomes: described(z.int(), "Those of them whose feedback counts."),
  mean: z.number().nullable().openapi({ description: "Of outcomes; true counts 1, false 0; null: there is none." }),
  deviation: z.number().nullable().openapi({ description: "Of outcomes; null: of fewer than two." }),
  effect: Effect.nullable().openapi({ description: "Against the control; null: it is the control, or withheld." }),
  guardrails: z.array(GuardrailResult).openapi({ description: "Against the control's; of the control, its means." }),
  chance_best: z.number().nullable().openapi({
    description: "Of an adaptive experiment: the chance that this arm is the best; null where too little is known.",
  }),
});

export const ExperimentResults = z
  .object({
    object: z.literal("experiment.results").openapi({ description: "Always `experiment.results`." }),
    experiment_id: described(z.string(), "`exp_…`"),
    status: described(z.enum(experimentStates), "Where the experiment stands."),
    alpha: described(
      z.number(),
      "How often, at most, an interval of an effect is ever to miss: 0.05, shared among the arms that are compared.",
    ),
    sample_ratio: z
      .object({
        p_value: described(z.number(), "Of exposures as far from the arms' shares as these."),
        mismatch: described(z.boolean(), "Below 0.001: something loses units of an arm, and effects are withheld."),
      })
      .openapi({ description: "Whether arms got their shares." }),
    effects_withheld: z.string().nullable().openapi({ description: "Why effects are not told; null: they are." }),
    arms: z.array(ArmResult).openapi({ description: "In the experiment's order." }),
    is_partial: described(
      z.boolean(),
      "Whether there is more than is read at once: 100,000 exposures and 100,000 rows with feedback.",
    ),
  })
  .openapi("ExperimentResults");
export type ExperimentResults = z.infer<typeof ExperimentResults>;
export type ArmResult = z.infer<typeof ArmResult>;
