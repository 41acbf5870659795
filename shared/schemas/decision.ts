/** Decisions: questions about one input, answered with probabilities by a fine-tuned classifier. */
import { z } from "@hono/zod-openapi";
import { DecisionInput, InputText } from "./decisionInput.ts";

const name = z.string().min(1).max(256).optional().openapi({ description: "Returned with the answer." });
const instructions = z
  .union([z.string().min(1), z.array(InputText).min(1)])
  .openapi({ description: "What is asked. A fine-tuned classifier knows its question; only a predicate reads it." });

export const PredicateQuestion = z
  .strictObject({
    type: z.literal("predicate").openapi({ description: "Always `predicate`." }),
    name,
    instructions: instructions.openapi({
      description:
        "The label whose probability is asked for, unless `name` is that label or the labels are yes and no.",
      example: "spam",
    }),
  })
  .openapi("PredicateQuestion");

const Choice = z.strictObject({
  value: z
    .union([z.string().min(1), z.boolean()])
    .openapi({ description: "A label of the model; `true` stands for the label `true`." }),
  description: z.string().optional().openapi({ description: "Accepted and ignored: the model knows its labels." }),
});

export const ChoiceQuestion = z
  .strictObject({
    type: z.literal("choice").openapi({ description: "Always `choice`." }),
    name,
    instructions,
    choices: z
      .array(Choice)
      .min(2)
      .max(255)
      .openapi({
        description: "2 to 255 different labels; probabilities are over these alone.",
        example: [{ value: "ham" }, { value: "spam" }],
      }),
  })
  .openapi("ChoiceQuestion");
export type ChoiceQuestion = z.infer<typeof ChoiceQuestion>;

export const ScoreQuestion = z
  .strictObject({
    type: z.literal("score").openapi({ description: "Refused: no model here rates on a scale yet." }),
    name,
    instructions,
    levels: z
      .array(
        z.strictObject({
          label: z.string().openapi({ description: "Name of the level." }),
          description: z.string().optional().openapi({ description: "What the level means." }),
        }),
      )
      .openapi({ description: "Ordered levels." }),
  })
  .openapi("ScoreQuestion");

export const Question = z.discriminatedUnion("type", [PredicateQuestion, ChoiceQuestion, ScoreQuestion]);
export type Question = z.infer<typeof Question>;

const ignored = { description: "Accepted and ignored." };

export const CreateDecision = z
  .strictObject({
    model: z.string().min(1).openapi({ description: "A fine-tuned model of `GET /v1/models`." }),
    input: DecisionInput,
    questions: z.array(Question).min(1).max(400).openapi({ description: "1 to 400 questions, answered in order." }),
    prompt_cache_key: z.string().nullish().openapi(ignored),
    prompt_cache_options: z.looseObject({}).nullish().openapi(ignored),
    safety_identifier: z.string().nullish().openapi(ignored),
  })
  .openapi("CreateDecision");
export type CreateDecision = z.infer<typeof CreateDecision>;

const answeredName = z.string().nullable().openapi({ description: "Name of the question; null: it had none." });
const probability = z.number().min(0).max(1).openapi({ description: "0 to 1." });

export const PredicateAnswer = z
  .object({
    type: z.literal("predicate").openapi({ description: "Always `predicate`." }),
    name: answeredName,
    probability,
  })
  .openapi("PredicateAnswer");

const choiceValue = z.union([z.string(), z.boolean()]);

export const ChoiceAnswer = z
  .object({
    type: z.literal("choice").openapi({ description: "Always `choice`." }),
    name: answeredName,
    choice: choiceValue.openapi({ description: "The most probable of the choices, as it was given." }),
    confidence: probability.openapi({ description: "Probability of `choice`, 0 to 1." }),
    probabilities: z
      .array(z.object({ value: choiceValue.openapi({ description: "The choice, as given." }), probability }))
      .openapi({ description: "One for each choice, in the order given; they sum to 1." }),
  })
  .openapi("ChoiceAnswer");

export const RefusalAnswer = z
  .object({ type: z.literal("refusal").openapi({ description: "The model would be guessing." }), name: answeredName })
  .openapi("RefusalAnswer");

export const Answer = z.discriminatedUnion("type", [PredicateAnswer, ChoiceAnswer, RefusalAnswer]);
export type Answer = z.infer<typeof Answer>;

const count = (description: string) => z.int().min(0).openapi({ description });

export const Decision = z
  .object({
    model: z.string().openapi({ description: "The model that answered." }),
    answers: z.array(Answer).openapi({ description: "In the order of the questions." }),
    usage: z
      .object({
        input_tokens: count("Tokens read from the input, once for all questions."),
        input_tokens_details: z
          .object({ cached_tokens: count("Always 0."), cache_write_tokens: count("Always 0.") })
          .openapi({ description: "Nothing is cached." }),
        output_tokens: count("Always 0: nothing is generated."),
        output_tokens_details: z
          .object({ reasoning_tokens: count("Always 0.") })
          .openapi({ description: "Nothing is generated." }),
        total_tokens: count("Sum of input and output."),
      })
      .openapi({ description: "What the call read." }),
  })
  .openapi("Decision");
export type Decision = z.infer<typeof Decision>;
