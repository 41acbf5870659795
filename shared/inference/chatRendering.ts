/** What was written as a chat completion: whole, and in chunks. */
import type {
  ChatCompletion,
  ChatCompletionChunk,
  CompletionUsage,
  CreateChatCompletion,
} from "../schemas/chatCompletion.ts";
import type { ChatLogprobs, TokenLogprob } from "../schemas/chatMessage.ts";
import type { SpelledToken, WrittenToken } from "../serving/generation.ts";
import type { StreamEvent } from "./endpoint.ts";
import { addPiece, type Choices, type WrittenChoice } from "./textChoices.ts";

/** What all parts of an answer have in common. */
export interface Heading {
  id: string;
  created: number;
  request: CreateChatCompletion;
}

export const fingerprintOf = ({ model }: Choices) => `fp_${model.digest.slice(0, 10)}`;

export function chatUsage({ promptTokens }: Choices, choices: readonly WrittenChoice[]): CompletionUsage {
  const written = choices.reduce((sum, { tokens }) => sum + tokens.length, 0);
  return { prompt_tokens: promptTokens, completion_tokens: written, total_tokens: promptTokens + written };
}

export function chatCompletion(
  { id, created, request }: Heading,
  choices: Choices,
  written: readonly WrittenChoice[],
): ChatCompletion {
  return {
    id,
    object: "chat.completion",
    created,
    model: choices.model.id,
    choices: written.map(({ text, tokens, finishReason }, index) => ({
      index,
      message: { role: "assistant", content: text, refusal: null, annotations: [] },
      finish_reason: finishReason,
      logprobs: logprobsOf(request, tokens),
    })),
    usage: chatUsage(choices, written),
    system_fingerprint: fingerprintOf(choices),
    service_tier: "default",
    ...(request.store && { metadata: request.metadata ?? {} }),
  };
}

/**
 * Chunks in OpenAI's order: roles, words, an ending for each answer, and the usage where it was asked for. `written` takes
 * in what they tell.
 */
export async function* chatChunks(
  { id, created, request }: Heading,
  choices: Choices,
  written: WrittenChoice[],
): AsyncGenerator<StreamEvent> {
  const withUsage = request.stream_options?.include_usage ?? false;
  const heading = {
    id,
    object: "chat.completion.chunk",
    created,
    model: choices.model.id,
    system_fingerprint: fingerprintOf(choices),
    service_tier: "default",
  } as const;
  type Choice = ChatCompletionChunk["choices"][number];
  const chunk = (choice: Partial<Choice> & Pick<Choice, "index" | "delta">) => {
    const data: ChatCompletionChunk = {
      ...heading,
      choices: [{ finish_reason: null, logprobs: null, ...choice }],
      ...(withUsage && { usage: null }),
    };
    return { data };
  };
  for (const index of written.keys()) yield chunk({ index, delta: { role: "assistant", content: "", refusal: null } });
  for await (const piece of choices.pieces) {
    addPiece(written, piece);
    const { choice: index, text: content, tokens, finishReason } = piece;
    const logprobs = logprobsOf(request, tokens);
    if (content !== "" || (logprobs && tokens.length > 0)) yield chunk({ index, delta: { content }, logprobs });
    if (finishReason) yield chunk({ index, delta: {}, finish_reason: finishReason });
  }
  if (withUsage)
    yield { data: { ...heading, choices: [], usage: chatUsage(choices, written) } satisfies ChatCompletionChunk };
}

function logprobsOf({ logprobs }: CreateChatCompletion, tokens: readonly WrittenToken[]): ChatLogprobs {
  return logprobs ? { content: tokens.map(tokenLogprob), refusal: null } : null;
}

const spelled = ({ text, bytes, logProbability }: SpelledToken) => {
  return { token: text, bytes: [...bytes], logprob: logProbability };
};

export const tokenLogprob = (token: WrittenToken): TokenLogprob => {
  return { ...spelled(token), top_logprobs: token.top.map(spelled) };
};
