/**
 * A classifier asked to write: it answers with its likeliest label, as one token, so that a client that was written for a
 * tuned chat model, and reads the label out of its message, need not change.
 */
import { ApiError } from "../errors.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { SpelledToken, TextRequest, WrittenPiece, WrittenText } from "./generation.ts";
import type { Classification, ModelHost } from "./host.ts";

/** JSON has no minus infinity. */
const leastProbability = 1e-300;

/** Throws ApiError naming the field where there is no text to classify, or JSON is asked for that the label is not. */
export async function writeLabel(
  { classify }: Pick<ModelHost, "classify">,
  model: ModelRecord,
  request: TextRequest,
  signal?: AbortSignal,
): Promise<WrittenText> {
  if (model.columns) {
    throw new ApiError("invalid_value", `'${model.id}' reads rows of a table: ask it for decisions.`, {
      param: "model",
    });
  }
  const [read] = await classify(model, [textOf(request)], signal);
  const token = tokenOf(read!, request.topLogProbabilities ?? 0);
  if (request.json && !isJsonObject(token.text)) {
    const message = `'${model.id}' answers with the label '${token.text}', which is not JSON.`;
    throw new ApiError("invalid_value", message, { param: request.names.json });
  }
  async function* pieces(): AsyncGenerator<WrittenPiece> {
    yield { text: token.text, tokens: [token], finishReason: "stop" };
  }
  return { promptTokens: read!.tokens, pieces: pieces() };
}

/** What the users said, as training reads it. */
function textOf({ prompt, names }: TextRequest): string {
  if ("text" in prompt) return prompt.text;
  const said = "messages" in prompt ? prompt.messages.filter(({ role }) => role === "user") : [];
  if (said.length > 0) return said.map(({ content }) => content).join("\n");
  const message = `'${names.prompt}' has no text of a user: there is nothing to classify.`;
  throw new ApiError("invalid_value", message, { param: names.prompt });
}

function tokenOf({ labels, probabilities }: Classification, top: number) {
  const ranked = labels
    .map((text, i): SpelledToken => {
      const logProbability = Math.log(Math.max(probabilities[i]!, leastProbability));
      return { text, bytes: Buffer.from(text), logProbability };
    })
    .sort((a, b) => b.logProbability - a.logProbability);
  return { ...ranked[0]!, top: ranked.slice(0, top) };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
