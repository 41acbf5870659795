/** Decisions: questions about one input, answered with probabilities by a fine-tuned classifier or by likeness of vectors. */
import { z } from "@hono/zod-openapi";
import { DecisionInput, InputText } from "./decisionInput.ts";
import { explanation } from "./explanation.ts";

const name = z.string().min(1).max(256).optional().openapi({ description: "Returned with the answer." });
const instructions = z.union([z.string().min(1), z.array(InputText).min(1)]).openapi({
  description:
    "What is asked. Only a predicate reads it: a fine-tuned classifier knows its question, and zero-shot answers come from descriptions.",
});

export const PredicateQuestion = z
  .strictObject({
    type: z.literal("predicate").openapi({ description: "Always `predicate`. For fine-tuned models only." }),
    name,
    instructions: instructions.openapi({
      description:
        "The label whose probability is asked for, unless `name` is that label or the labels are yes and no.",
      example: "spam",
    }),
  })
  .openapi("PredicateQuestion");
export type PredicateQuestion = z.infer<typeof PredicateQuestion>;

/** How a question over labels and one over descriptions are told apart. */
const zeroShotRule =
  "One that is no label of the model needs it; then all options of the question are compared by vectors (zero-shot).";

const Choice = z.strictObject({
  value: z.union([z.string().min(1), z.boolean()]).openapi({
    description: "A label of the model, or anything that is described; `true` stands for the label `true`.",
  }),
  description: z
    .string()
    .optional()
    .openapi({
      description: `What the choice means. ${zeroShotRule} A base model takes the value where it is absent.`,
    }),
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
        description: "2 to 255 different choices; probabilities are over these alone.",
        example: [{ value: "ham" }, { value: "spam" }],
      }),
  })
  .openapi("ChoiceQuestion");
export type ChoiceQuestion = z.infer<typeof ChoiceQuestion>;

const Level = z.strictObject({
  label: z.string().min(1).openapi({ description: "A label of the model, or the name of a level that is described." }),
  description: z
    .string()
    .optional()
    .openapi({ description: `What the level means. ${zeroShotRule} A base model takes the label where it is absent.` }),
});

export const ScoreQuestion = z
  .strictObject({
    type: z.literal("score").openapi({ description: "Always `score`." }),
    name,
    instructions,
    levels: z
      .array(Level)
      .min(2)
      .max(255)
      .openapi({
        description: "2 to 255 different levels from the lowest, which counts 0, to the highest.",
        example: [{ label: "ham" }, { label: "spam" }],
      }),
  })
  .openapi("ScoreQuestion");
export type ScoreQuestion = z.infer<typeof ScoreQuestion>;

export const Question = z.discriminatedUnion("type", [PredicateQuestion, ChoiceQuestion, ScoreQuestion]);
export type Question = z.infer<typeof Question>;

const ignored = { description: "Accepted and ignored." };

export const CreateDecision = z
  .strictObject({
    model: z.string().min(1).openapi({
      description: "A fine-tuned model of `GET /v1/models`, or an imported base, which answers zero-shot alone.",
    }),
    input: DecisionInput,
    questions: z.array(Question).min(1).max(400).openapi({ description: "1 to 400 questions, answered in order." }),
    min_precision: z.number().min(0.5).max(0.99).nullish().openapi({
      description:
        "Millrace's own. Refuses where a fine-tuned model is less sure than its answers must be for at least this share of them to be right, 0.5 to 0.99, as measured on its job's validation rows; null: it answers whenever it knows something of the text.",
    }),
    explain: z.boolean().nullish().openapi({
      description:
        "Millrace's own. True: each answer by a fine-tuned model says what every token, or column, added to its label; it takes dozens of passes. At most 16 different labels a call.",
    }),
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
    explanation,
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
      .openapi({
        description:
          "One for each choice, in the order given; they sum to 1. A fine-tuned model's are calibrated; zero-shot ones are not: they rank.",
      }),
    explanation,
  })
  .openapi("ChoiceAnswer");

export const ScoreAnswer = z
  .object({
    type: z.literal("score").openapi({ description: "Always `score`." }),
    name: answeredName,
    score: z
      .number()
      .min(0)
      .openapi({ description: "The mean of the levels' values by probability: 0 to the number of levels less one." }),
    confidence: probability.openapi({ description: "Probability of the most probable level, 0 to 1." }),
    probabilities: z
      .array(
        z.object({
          label: z.string().openapi({ description: "The level's, as given." }),
          value: z.int().min(0).openapi({ description: "The level's place: 0 for the first." }),
          probability,
        }),
      )
      .openapi({ description: "One for each level, in the order given; they sum to 1." }),
    explanation,
  })
  .openapi("ScoreAnswer");

export const RefusalAnswer = z
  .object({
    type: z.literal("refusal").openapi({
      description:
        "The model would be guessing: it knows nothing of the text, or is less sure than `min_precision` asks.",
    }),
    name: answeredName,
  })
  .openapi("RefusalAnswer");

export const Answer = z.discriminatedUnion("type", [PredicateAnswer, ChoiceAnswer, ScoreAnswer, RefusalAnswer]);
export type Answer = z.infer<typeof Answer>;

const count = (description: string) => z.int().min(0).openapi({ description });

export const Decision = z
  .object({
    model: z.string().openapi({ description: "The model that answered." }),
    answers: z.array(Answer).openapi({ description: "In the order of the questions." }),
    usage: z
      .object({
        input_tokens: count(
          "Tokens of the input, once for all questions, and of the descriptions it was compared with.",
        ),
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
