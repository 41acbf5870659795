/** Answers with their reasons: what each token or column of the input added to the label that was answered. */
import type { Attribution } from "../engine/attribution/attributor.ts";
import { ApiError } from "../errors.ts";
import type { Answer } from "../schemas/decision.ts";
import type { Explanation } from "../schemas/explanation.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { ModelHost } from "../serving/host.ts";

/** Each takes dozens of passes through the model. */
const mostLabels = 16;

export interface Explained {
  host: ModelHost;
  model: ModelRecord;
  /** As the model read it. */
  text: string;
  signal: AbortSignal;
}

/**
 * `labels` are those that the answers rest on, null of a refusal, which has no reasons. Throws ApiError for more different
 * ones than can be explained at once.
 */
export async function explain(
  { host, model, text, signal }: Explained,
  answers: readonly Answer[],
  labels: readonly (string | null)[],
): Promise<Answer[]> {
  const different = [...new Set(labels.filter((label) => label !== null))];
  if (different.length > mostLabels) {
    const message = `The answers rest on ${different.length} different labels; 'explain' does at most ${mostLabels} at once.`;
    throw new ApiError("invalid_value", message, { param: "explain" });
  }
  if (different.length === 0) return [...answers];
  const found = await host.attribute(model, text, different, signal);
  return answers.map((answer, i) => {
    const label = labels[i];
    if (label === null || label === undefined || answer.type === "refusal") return answer;
    return { ...answer, explanation: explanationOf(label, found[different.indexOf(label)]!, text) };
  });
}

/** Zero-shot answers rest on no label, and a base model has none. */
export function refuseExplaining(index: number): ApiError {
  const message = `'questions[${index}]' is answered zero-shot, which cannot be explained: leave 'explain' out, or ask for labels of a fine-tuned model.`;
  return new ApiError("invalid_value", message, { param: "explain" });
}

function explanationOf(label: string, { logit, baselineLogit, parts }: Attribution, text: string): Explanation {
  const head = { label, logit, baseline_logit: baselineLogit };
  if ("tokens" in parts) {
    return { ...head, tokens: parts.tokens.map((token) => ({ text: text.slice(token.start, token.end), ...token })) };
  }
  const cells = JSON.parse(text) as Record<string, string>;
  const cellOf = (name: string) => (Object.hasOwn(cells, name) ? cells[name]! : null);
  return { ...head, columns: parts.columns.map((column) => ({ value: cellOf(column.name), ...column })) };
}
