/** The body of every answer that is not a success. */
import { z } from "@hono/zod-openapi";
import { BudgetQuote } from "./budget.ts";

export const ErrorResponse = z
  .object({
    error: z
      .object({
        message: z.string().openapi({ description: "What is wrong, for people." }),
        type: z.string().openapi({ description: "Family of the error, in OpenAI's vocabulary." }),
        param: z.string().nullable().openapi({
          description: "The field at fault, such as `questions[0].choices[2].value`; null: none in particular.",
        }),
        code: z.string().openapi({ description: "Machine-readable cause." }),
        quote: BudgetQuote.optional(),
      })
      .openapi({ description: "What went wrong." }),
  })
  .openapi("ErrorResponse");
