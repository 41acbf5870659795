/** Two runs of an eval on the same items: Millrace's own. */
import { z } from "@hono/zod-openapi";

const count = (description: string) => z.int().min(0).openapi({ description });
const share = (description: string) => z.number().min(0).max(1).openapi({ description });
const interval = (description: string) =>
  z
    .object({
      estimate: z.number().openapi({ description: "As measured." }),
      lower: z.number().openapi({ description: "The interval's lower end, at 95 %." }),
      upper: z.number().openapi({ description: "Its upper end." }),
    })
    .openapi({ description });

const paired = {
  both: count("Pairs that pass in both runs."),
  only_a: count("Pairs that pass in `a` alone."),
  only_b: count("Pairs that pass in `b` alone."),
  neither: count("Pairs that pass in neither."),
  difference: interval("Share that passes in `b`, less that in `a`; by the score test of pairs (Tango 1998)."),
};
const tested = {
  p_value: share("Of McNemar's exact test: how likely so great a difference is between models that are equally good."),
  mid_p_value: share("The same, less conservative."),
};
const Row = z.object({ value: z.string().openapi({ description: "The field's value." }), ...paired });

const Side = z.object({
  run_id: z.string().openapi({ description: "The run." }),
  model: z.string().nullable().openapi({ description: "Who was asked; null: nobody." }),
  passed: share("Of the pairs, how many pass."),
});

const precision = (run: string) =>
  z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .openapi({ description: `Of the outputs of this class in \`${run}\`, how many are right; null: there is none.` });

export const EvalComparison = z
  .object({
    object: z.literal("eval.comparison").openapi({ description: "Always `eval.comparison`." }),
    eval_id: z.string().openapi({ description: "Of which eval." }),
    a: Side.openapi({ description: "What is compared with, such as the model in use." }),
    b: Side.openapi({ description: "What is compared, such as a candidate." }),
    pairs: count("Items that both runs have and could grade: all figures are of these."),
    unpaired: z
      .object({ a: count("Items of `a` alone."), b: count("Items of `b` alone.") })
      .openapi({ description: "Items that the other run has not." }),
    errored: count("Pairs left out, as one of the runs could not answer or grade the item."),
    overall: z
      .object({
        ...paired,
        ...tested,
        bootstrap: interval("The same difference, by drawing pairs again (percentiles)."),
      })
      .openapi({ description: "By all criteria." }),
    criteria: z
      .array(
        z.object({
          testing_criteria: z.string().openapi({ description: "The criterion's name." }),
          ...paired,
          ...tested,
          score: interval("Mean score in `b`, less that in `a`, by drawing pairs again."),
        }),
      )
      .openapi({ description: "By each criterion." }),
    classes: z
      .object({
        field: z.string().openapi({ description: "Which field of the item is its right answer." }),
        macro_f1: interval("Macro F1 of the outputs in `b`, less that in `a`, by drawing pairs again."),
        rows: z.array(Row.extend({ precision_a: precision("a"), precision_b: precision("b") })).openapi({
          description: "By class, most frequent first; here a pair passes where output and class are equal.",
        }),
      })
      .nullable()
      .openapi({ description: "By the right answer; null where no field is it, or outputs are no classes." }),
    slices: z
      .array(
        z.object({
          field: z.string().openapi({ description: "As named in the query." }),
          rows: z.array(Row).openapi({ description: "By value, most frequent first." }),
          left_out: count("Values beyond the first hundred."),
        }),
      )
      .openapi({ description: "By the fields named in the query." }),
    agreement: z
      .object({
        share: share("Pairs with the same output."),
        kappa: z.number().nullable().openapi({ description: "Cohen's, beyond chance; null where all are alike." }),
        outputs: z
          .array(z.string())
          .nullable()
          .openapi({ description: "All outputs, most frequent first; null where there are more than fifty." }),
        counts: z
          .array(z.array(z.int()))
          .nullable()
          .openapi({ description: "Pairs by output: a row for each in `a`, a column for each in `b`." }),
      })
      .openapi({ description: "How far the outputs are the same, right or wrong." }),
  })
  .openapi("EvalComparison");
export type EvalComparison = z.infer<typeof EvalComparison>;
