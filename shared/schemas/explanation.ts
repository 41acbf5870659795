/** Explanations: what each token, or each column, of an input added to the label that was answered. */
import { z } from "@hono/zod-openapi";

const attribution = z.number().openapi({
  description: "What it adds to the label's logit; below 0 it speaks against the label.",
});

const TokenAttribution = z.object({
  text: z.string().openapi({ description: "The token as it stands in the text." }),
  start: z.int().min(0).openapi({ description: "Where it begins, in UTF-16 code units." }),
  end: z.int().min(0).openapi({ description: "Where it ends; not included." }),
  attribution,
});

const ColumnAttribution = z.object({
  name: z.string().openapi({ description: "The column." }),
  value: z.string().nullable().openapi({ description: "What its cell holds; null: it is missing." }),
  attribution,
});

export const Explanation = z
  .object({
    label: z.string().openapi({ description: "The label of the model that is explained: the one answered." }),
    logit: z.number().openapi({ description: "The label's logit for the input." }),
    baseline_logit: z.number().openapi({
      description:
        "The label's logit for nothing: no n-grams, a text of padding, or the average row. All attributions sum to the difference; exactly for `millrace-ngram` and sums over columns, else within 1 % of it or as near as 256 steps come.",
    }),
    tokens: z.array(TokenAttribution).optional().openapi({ description: "Of a text, in its order." }),
    columns: z
      .array(ColumnAttribution)
      .optional()
      .openapi({ description: "Of a row, one for each column of the model." }),
  })
  .openapi("Explanation");
export type Explanation = z.infer<typeof Explanation>;

export const explanation = Explanation.optional().openapi({
  description: "Where `explain` is true: why this answer. Integrated gradients (Sundararajan et al. 2017).",
});
