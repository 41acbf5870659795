/** What a text goes on from, as tokens that its model has room for. */
import type { CausalText } from "../engine/generation/causalText.ts";
import type { Vocabulary } from "../engine/generation/tokenBytes.ts";
import { ApiError } from "../errors.ts";
import { type ChatMessage, type Prompt, TemplateError } from "./chatPrompt.ts";

export interface PromptRequest {
  readonly prompt:
    | { readonly messages: readonly ChatMessage[] }
    | { readonly text: string }
    | { readonly tokens: readonly number[] };
  /** What the caller calls its prompt, for errors. */
  readonly names: { readonly prompt: string };
}

export interface PromptReader {
  readonly text: CausalText;
  readonly chat: (messages: readonly ChatMessage[]) => Prompt;
  /** The bytes of the longest token. */
  readonly longestToken: number;
}

// Special tokens have no bytes of their own, but are spelt out in conversations.
const longestSpecial = 64;

export function longestToken({ bytes }: Vocabulary): number {
  return bytes.reduce((most, token) => Math.max(most, token?.length ?? 0), longestSpecial);
}

/** Throws ApiError naming the prompt: for more tokens than the model reads, for none, and for ids it has not. */
export function readPrompt(reader: PromptReader, { prompt, names }: PromptRequest): Prompt {
  const { context, vocabulary } = reader.text;
  const refuse = (message: string) => new ApiError("invalid_value", message, { param: names.prompt });
  const tooLong = (count: string) => {
    const message = `This model's context is ${context} tokens, of which at least one is for the answer. '${names.prompt}' has ${count}: shorten it.`;
    return new ApiError("context_length_exceeded", message, { param: names.prompt });
  };
  // Some tokenizers take time with the square of a text's length: what cannot fit is not cut into tokens at all.
  const least = Math.ceil(bytesOf(prompt) / reader.longestToken);
  if (least >= context) throw tooLong(`at least ${least}`);
  const found = tokensOf(reader, prompt, refuse);
  const stray = found.tokens.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
  if (stray !== undefined)
    throw refuse(`'${names.prompt}' holds ${stray}, which is no token of the model's ${vocabulary}.`);
  if (found.tokens.length === 0) throw refuse(`'${names.prompt}' is empty: the model needs something to go on from.`);
  if (found.tokens.length >= context) throw tooLong(String(found.tokens.length));
  return found;
}

function bytesOf(prompt: PromptRequest["prompt"]): number {
  if ("tokens" in prompt) return 0;
  if ("text" in prompt) return Buffer.byteLength(prompt.text);
  return prompt.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
}

function tokensOf(
  { text, chat }: PromptReader,
  prompt: PromptRequest["prompt"],
  refuse: (message: string) => ApiError,
): Prompt {
  if ("tokens" in prompt) return { tokens: prompt.tokens, stop: [] };
  if ("text" in prompt) return { tokens: text.tokenizer.encode(prompt.text.toWellFormed()).input_ids, stop: [] };
  try {
    return chat(prompt.messages);
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause;
    throw refuse(`The model's chat template does not take these messages: ${cause.message}.`);
  }
}
