/** Graders: what says whether an output is right, field for field as OpenAI's. */
import { z } from "@hono/zod-openapi";
import { optional } from "./textSettings.ts";

const templates = "Variables: `{{item.…}}` and `{{sample.output_text}}`.";
const name = z.string().min(1).max(256).openapi({ description: "What its results are called." });
const templated = (description: string) => z.string().openapi({ description: `${description} ${templates}` });
const kind = <Type extends string>(type: Type) =>
  z.literal(type).openapi({ description: `Always \`${type}\`.`, example: type });
const threshold = z.number();
const pass_threshold = threshold.nullish();

const TextPart = z.object({
  type: z.enum(["input_text", "output_text"]).openapi({ description: "The models here read texts alone." }),
  text: templated("The text."),
});
export const EvalMessage = z
  .strictObject({
    type: z.literal("message").optional().openapi({ description: "Always `message`." }),
    role: z.enum(["user", "assistant", "system", "developer"]).openapi({ description: "Who speaks." }),
    content: z.union([z.string(), z.array(z.union([z.string(), TextPart])).min(1), TextPart]).openapi({
      description: `A text, or parts of one. ${templates}`,
      example: "Is this right? {{sample.output_text}}",
    }),
    phase: z.string().nullish().openapi({ description: "Accepted and ignored." }),
  })
  .openapi("EvalMessage");
export type EvalMessage = z.infer<typeof EvalMessage>;

const messages = z
  .array(EvalMessage)
  .min(1)
  .openapi({ description: `What the model is asked. ${templates}` });
const model = z.string().min(1).max(512).openapi({
  description: "A fine-tuned model, which answers with a label; an imported one that writes; or `alias:…`.",
});

const stringCheck = {
  type: kind("string_check"),
  name,
  input: templated("The text to look at."),
  reference: templated("What it is compared with."),
  operation: z
    .enum(["eq", "ne", "like", "ilike"])
    .openapi({ description: "`eq`, `ne`: the same or not; `like`, `ilike`: holds the reference, in any case." }),
};
export const similarityMetrics = [
  "fuzzy_match",
  "cosine",
  "bleu",
  "gleu",
  "meteor",
  "rouge_1",
  "rouge_2",
  "rouge_3",
  "rouge_4",
  "rouge_5",
  "rouge_l",
] as const;
const textSimilarity = {
  type: kind("text_similarity"),
  name,
  input: templated("The text to grade."),
  reference: templated("What it is compared with."),
  evaluation_metric: z.enum(similarityMetrics).openapi({ description: "How likeness is measured; all end at 1." }),
  model: z.string().min(1).max(512).optional().openapi({
    description: "Millrace's own: whose vectors `cosine` compares. Default: `millrace-embed-en`.",
  }),
};
const labelModel = {
  type: kind("label_model"),
  name,
  model,
  input: messages,
  labels: z.array(z.string().min(1)).min(1).max(255).openapi({ description: "What the model chooses from." }),
  passing_labels: z.array(z.string().min(1)).min(1).max(255).openapi({ description: "Those that pass." }),
};
const scoreSampling = z.strictObject({
  max_completions_tokens: optional(z.int().min(1), "The most tokens of the answer."),
  max_completion_tokens: optional(z.int().min(1), "The same."),
  seed: optional(z.int(), "The same seed gives the same answer."),
  temperature: optional(z.number().min(0).max(2), "0 to 2."),
  top_p: optional(z.number().min(0).max(1), "0 to 1."),
  reasoning_effort: optional(z.string(), "Accepted and ignored."),
});
const scoreModel = {
  type: kind("score_model"),
  name,
  model,
  input: messages,
  range: z
    .array(z.number())
    .min(2)
    .max(2)
    .refine(([low, high]) => low! < high!, "the first must be less than the second")
    .nullish()
    .openapi({ description: "The least and the greatest score. Default: 0 and 1.", example: [0, 1] }),
  sampling_params: scoreSampling.nullish().openapi({ description: "Of a model that writes." }),
};
/** Known, so that it can be refused by its field and not as nonsense. */
const Python = z
  .looseObject({
    type: kind("python").refine(
      () => false,
      "no code of a client is run here; use string_check or text_similarity, or combine several by a multi grader's calculate_output",
    ),
  })
  .openapi("PythonGrader", { description: "Refused: no code of a client is run here." });

const isSubset = ({ labels, passing_labels }: { labels: string[]; passing_labels: string[] }) =>
  passing_labels.every((label) => labels.includes(label));
const subset = { path: ["passing_labels"], message: "must be some of 'labels'" };

const StringCheck = z.strictObject(stringCheck).openapi("StringCheckGrader");
const TextSimilarity = z
  .strictObject({ ...textSimilarity, pass_threshold: pass_threshold.openapi({ description: "Of no effect here." }) })
  .openapi("TextSimilarityGrader");
const LabelModel = z.strictObject(labelModel).refine(isSubset, subset).openapi("LabelModelGrader");
const scoreThreshold = pass_threshold.openapi({
  description: "The least score that passes. Default: the middle of the range.",
});
const ScoreModel = z.strictObject({ ...scoreModel, pass_threshold: scoreThreshold }).openapi("ScoreModelGrader");

const SubGrader = z.discriminatedUnion("type", [StringCheck, TextSimilarity, ScoreModel, LabelModel, Python]);
const Multi = z
  .strictObject({
    type: kind("multi"),
    name,
    graders: z
      .union([SubGrader, z.record(z.string().regex(/^[A-Za-z_]\w{0,63}$/, "not a name for a formula"), SubGrader)])
      .openapi({ description: "Graders by the names that the formula knows them by; or one alone, by its own name." }),
    calculate_output: z.string().min(1).max(1000).openapi({
      description:
        "A formula over their scores: numbers, names, `+ - * / ^`, brackets, and `min max abs floor ceil exp sqrt log`.",
    }),
    pass_threshold: pass_threshold.openapi({ description: "The least score that passes. Default: 0.5." }),
  })
  .openapi("MultiGrader");

/** Whatever stands on its own: a job's graders, which pass nothing. */
export const Grader = z
  .discriminatedUnion("type", [StringCheck, TextSimilarity, ScoreModel, Multi, LabelModel, Python])
  .openapi("Grader", { description: "What grades an output." });
export type Grader = Exclude<z.infer<typeof Grader>, { type: "python" }>;

export const TestingCriterion = z
  .discriminatedUnion("type", [
    StringCheck,
    z
      .strictObject({
        ...textSimilarity,
        pass_threshold: threshold.openapi({ description: "The least score that passes." }),
      })
      .openapi("TextSimilarityCriterion"),
    LabelModel,
    ScoreModel,
    Multi,
    Python,
  ])
  .openapi("TestingCriterion", { description: "A grader, and from which score on an output passes." });
/** Python is among what is read and never among what is found. */
export type TestingCriterion = Exclude<z.infer<typeof TestingCriterion>, { type: "python" }>;
