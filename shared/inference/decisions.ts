/** Decisions: one text, read once by a fine-tuned classifier, and every question answered from what it made of it. */
import { ApiError } from "../errors.ts";
import { CreateDecision, type Decision } from "../schemas/decision.ts";
import { answer, refuseScores } from "./answers.ts";
import { textOf } from "./decisionText.ts";
import type { Endpoint } from "./endpoint.ts";
import { isFineTuned } from "./modelLookUp.ts";

export const decisions: Endpoint<CreateDecision, Decision> = {
  path: "/v1/decisions",
  schema: CreateDecision,
  async answer({ context, project, request, signal }) {
    refuseScores(request.questions);
    const text = textOf(request.input);
    const model = await context.models.callable(project, request.model);
    if (!isFineTuned(model)) {
      const message = `'${request.model}' is a base model and knows no labels: fine-tune it, then name the tuned model.`;
      throw new ApiError("invalid_value", message, { param: "model" });
    }
    const [classification] = await context.host.classify(model, [text], signal);
    if (!classification) throw new Error(`The model host had no answer for ${model.id}`);
    const answers = request.questions.map((question, index) => answer(question, index, classification));
    const body = { model: model.id, answers, usage: usageOf(classification.tokens) };
    return { body, model: model.id, digest: model.digest };
  },
};

function usageOf(tokens: number): Decision["usage"] {
  return {
    input_tokens: tokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokens,
  };
}
