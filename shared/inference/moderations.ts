/** Moderations: what a fine-tuned classifier makes of texts, told in OpenAI's categories. */
import { ApiError } from "../errors.ts";
import { sameId } from "../ids.ts";
import type { ModelRecord } from "../schemas/model.ts";
import {
  CreateModeration,
  type Moderation,
  type ModerationCategory,
  type ModerationResult,
  moderationCategories,
} from "../schemas/moderation.ts";
import type { Classification } from "../serving/host.ts";
import type { Endpoint, InferenceCall } from "./endpoint.ts";
import { listed } from "./labelAnswers.ts";
import { isFineTuned, withoutLabels } from "./modelLookUp.ts";
import { meaningOf } from "./moderationLabels.ts";
import { asTextReader } from "./rows.ts";

/** What clients ask for that were written for OpenAI's models. */
const openAiNames = /^(omni|text)-moderation-/;

/** A score over this is flagged. */
const flaggedOver = 0.5;

export const moderations: Endpoint<CreateModeration, Moderation> = {
  path: "/v1/moderations",
  schema: CreateModeration,
  async answer(call) {
    const texts = textsOf(call.request.input);
    const model = asTextReader(await moderatorOf(call));
    const read = await call.context.host.classify(model, texts, call.signal);
    const results = read.map(resultOf);
    return {
      body: { id: sameId("moderation", call.id), model: model.id, results },
      model: model.id,
      digest: model.digest,
    };
  },
};

/** Strings are texts of their own; parts are one text. */
function textsOf(input: CreateModeration["input"]): string[] {
  if (typeof input === "string") return [input];
  const parts = input.map((item, index) => {
    if (typeof item === "string") return item;
    if (item.type === "text") return item.text;
    const message = `'input[${index}]' is of type '${item.type}': the models here read text only.`;
    throw new ApiError("invalid_value", message, { param: `input[${index}].type` });
  });
  return typeof input[0] === "string" ? parts : [parts.join("\n")];
}

/** The model that was named, or the one that is assigned. */
async function moderatorOf(call: InferenceCall<CreateModeration>): Promise<ModelRecord> {
  const { model: name } = call.request;
  if (name === undefined || openAiNames.test(name)) return assignedModel(call);
  const model = await call.context.models.callable(call.project, name);
  if (isFineTuned(model)) return model;
  throw withoutLabels(model);
}

/** A model belongs to one project: to others it is as if none were assigned, whose name they are not told. */
async function assignedModel({ context, project }: InferenceCall<CreateModeration>): Promise<ModelRecord> {
  try {
    if (context.moderationModel) return await context.models.fineTuned(project, context.moderationModel);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  const cure = "name a fine-tuned model as 'model', or let the operator assign one by MILLRACE_MODERATION_MODEL";
  const message = `No moderation model is assigned to this project: ${cure}.`;
  throw new ApiError("model_not_found", message, { param: "model" });
}

/** A text of which the model knows nothing speaks for no harm. */
function resultOf({ labels, probabilities, known }: Classification): ModerationResult {
  const scores = new Map<ModerationCategory, number>();
  const others = new Map<string, number>();
  const meanings = labels.map(meaningOf);
  if (meanings.every((meaning) => meaning === "other")) throw noModerator(labels);
  for (const [i, meaning] of meanings.entries()) {
    const score = known ? probabilities[i]! : 0;
    if (meaning === "other") others.set(labels[i]!, Math.min(1, score));
    else if (meaning !== "harmless") {
      scores.set(meaning.category, Math.min(1, (scores.get(meaning.category) ?? 0) + score));
    }
  }
  const by = <Value>(value: (category: ModerationCategory) => Value) =>
    Object.fromEntries(moderationCategories.map((category) => [category, value(category)])) as Record<
      ModerationCategory,
      Value
    >;
  return {
    flagged: [...scores.values(), ...others.values()].some((score) => score > flaggedOver),
    categories: by((category) => (scores.get(category) ?? 0) > flaggedOver),
    category_scores: by((category) => scores.get(category) ?? 0),
    category_applied_input_types: by((category) => (scores.has(category) ? ["text" as const] : [])),
    other_category_scores: Object.fromEntries(others),
  };
}

function noModerator(labels: readonly string[]): ApiError {
  const rule =
    "None of this model's labels is one of OpenAI's moderation categories, or a word for harmless such as 'safe'";
  return new ApiError("invalid_value", `${rule}. ${listed(labels)}`, { param: "model" });
}
