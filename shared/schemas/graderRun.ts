/** One grader tried on one answer, field for field as OpenAI's. */
import { z } from "@hono/zod-openapi";
import { Grader } from "./evalGrader.ts";

export const ValidateGrader = z.strictObject({ grader: Grader }).openapi("ValidateGrader");

export const ValidatedGrader = z.object({ grader: Grader }).openapi("ValidatedGrader");

export const RunGrader = z
  .strictObject({
    grader: Grader,
    model_sample: z.string().openapi({ description: "The answer: `{{sample.output_text}}`." }),
    item: z.record(z.string(), z.unknown()).optional().openapi({ description: "What `{{item.…}}` reads." }),
  })
  .openapi("RunGrader");
export type RunGrader = z.infer<typeof RunGrader>;

const flag = (description: string) => z.boolean().openapi({ description });
const never = z.boolean().openapi({ description: "Always false." });
const nothing = z.string().nullable().openapi({ description: "Always null." });

export const GraderRun = z
  .object({
    reward: z.number().openapi({ description: "The score; 0 where it could not grade." }),
    sub_rewards: z.record(z.string(), z.number()).openapi({ description: "Scores of a multi grader's graders." }),
    model_grader_token_usage_per_model: z
      .record(z.string(), z.int())
      .openapi({ description: "Tokens by the model that was asked." }),
    metadata: z
      .object({
        name: z.string().openapi({ description: "The grader's." }),
        type: z.string().openapi({ description: "The grader's." }),
        errors: z
          .object({
            formula_parse_error: flag("The formula cannot be read."),
            invalid_variable_error: flag("A variable names what is not there."),
            model_grader_parse_error: flag("The model's answer cannot be read."),
            model_grader_refusal_error: never,
            model_grader_server_error: never,
            model_grader_server_error_details: z
              .string()
              .nullable()
              .openapi({ description: "What went wrong, for people; null: nothing." }),
            other_error: flag("Something else went wrong."),
            python_grader_runtime_error: never,
            python_grader_runtime_error_details: nothing,
            python_grader_server_error: never,
            python_grader_server_error_type: nothing,
            sample_parse_error: never,
            truncated_observation_error: never,
            unresponsive_reward_error: never,
          })
          .openapi({ description: "What went wrong." }),
        execution_time: z.number().openapi({ description: "Seconds." }),
        scores: z.record(z.string(), z.number()).openapi({ description: "By grader." }),
        token_usage: z.int().nullable().openapi({ description: "Tokens of all models; null: none was asked." }),
        sampled_model_name: nothing,
      })
      .openapi({ description: "How it came to be." }),
  })
  .openapi("GraderRun");
export type GraderRun = z.infer<typeof GraderRun>;
