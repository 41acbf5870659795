/** Drift: what moved between the first answers of a model, or a function, and its newest. */
import { z } from "@hono/zod-openapi";

const described = <Schema extends z.ZodType>(schema: Schema, description: string) => schema.openapi({ description });
const mean = (of: string) =>
  described(z.number().nullable(), `The ${of}'s mean; null where what is compared is no number.`);
const unixTime = (description: string) =>
  described(z.int().nullable(), `${description}, Unix time in seconds; null: there is none.`);

const Sample = (what: string) =>
  z
    .object({
      rows: described(z.int(), "Answers in it, one an episode."),
      from: unixTime("Of its first answer"),
      to: unixTime("Of its last answer"),
    })
    .openapi({ description: what });

const DriftMeasure = z
  .object({
    name: described(
      z.string(),
      "`lengths`: tokens of the input. `tokens`: its n-grams, hashed. `texts`: its vectors. `labels`, `confidence`, `refusals`: of the answer. Else a metric of feedback.",
    ),
    aspect: described(z.enum(["inputs", "outputs", "outcomes"]), "What it is about."),
    statistic: described(z.number(), "How far window and reference are apart."),
    threshold: described(
      z.number(),
      "What it exceeds where it has drifted: by permutations, adjusted for all measures.",
    ),
    p_value: described(z.number(), "The chance of as great a difference of any measure where nothing moved."),
    drifted: described(z.boolean(), "Whether `p_value` is at most `alpha`."),
    reference_mean: mean("reference"),
    window_mean: mean("window"),
  })
  .openapi("DriftMeasure");

export const DriftReport = z
  .object({
    object: described(z.literal("drift"), "Always `drift`."),
    model: described(z.string().nullable(), "Whose answers; null: a function's."),
    function: described(z.string().nullable(), "Whose answers; null: a model's."),
    drifted: described(z.boolean().nullable(), "Whether anything has; null: there are too few answers to tell."),
    alpha: described(z.number(), "The chance of any false alarm."),
    seed: described(z.int(), "Of the permutations: the same answers and seed give the same report."),
    p_value: described(z.number().nullable(), "Of all measures together; null where there are too few answers."),
    reference: Sample("The first answers."),
    window: Sample("The newest answers."),
    measures: described(z.array(DriftMeasure), "Those that enough answers have."),
    labels: described(
      z.array(
        z.object({
          label: described(z.string(), "The answer's label."),
          reference: described(z.number(), "Its share of the reference."),
          window: described(z.number(), "Its share of the window."),
        }),
      ),
      "Labels whose share changed most, at most ten.",
    ),
    examples: described(
      z.array(
        z.object({
          inference_id: described(z.string(), "`req_…`"),
          text: described(z.string(), "Its input, the first 200 characters."),
          distance: described(z.number(), "From the nearest input of the reference."),
        }),
      ),
      "Inputs of the window that are least like any of the reference, at most five.",
    ),
  })
  .openapi("Drift");
export type DriftReport = z.infer<typeof DriftReport>;
