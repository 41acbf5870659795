/** Decisions: one text, read once by a fine-tuned classifier, and every question answered from what it made of it. */
import { ApiError } from "../../shared/errors.ts";
import type { CreateDecision, Decision } from "../../shared/schemas/decision.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { answer, refuseScores } from "./answers.ts";
import { textOf } from "./decisionText.ts";
import type { ModelService } from "./models.ts";
import type { Project } from "./projects.ts";

export interface DecisionService {
  create(
    project: Project,
    request: CreateDecision,
    signal: AbortSignal,
  ): Promise<{ decision: Decision; digest: string }>;
}

export function createDecisionService(
  models: Pick<ModelService, "base" | "fineTuned">,
  host: ModelHost,
): DecisionService {
  return {
    async create(project, request, signal) {
      refuseScores(request.questions);
      const text = textOf(request.input);
      if (await models.base(request.model)) {
        const message = `'${request.model}' is a base model and knows no labels: fine-tune it, then name the tuned model.`;
        throw new ApiError("invalid_value", message, { param: "model" });
      }
      const model = await models.fineTuned(project, request.model, "model");
      const [classification] = await host.classify(model, [text], signal);
      if (!classification) throw new Error(`The model host had no answer for ${model.id}`);
      const answers = request.questions.map((question, index) => answer(question, index, classification));
      return { decision: { model: model.id, answers, usage: usageOf(classification.tokens) }, digest: model.digest };
    },
  };
}

function usageOf(tokens: number): Decision["usage"] {
  return {
    input_tokens: tokens,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokens,
  };
}
