/** What was written as a completion: whole, and in chunks. */
import type { Completion, CompletionChunk, CompletionLogprobs } from "../schemas/completion.ts";
import type { WrittenToken } from "../serving/generation.ts";
import { chatUsage, fingerprintOf } from "./chatRendering.ts";
import type { StreamEvent } from "./endpoint.ts";
import { addPiece, type Choices, type WrittenChoice } from "./textChoices.ts";

/** What all parts of an answer have in common. */
export interface CompletionHeading {
  id: string;
  created: number;
  withLogprobs: boolean;
  withUsage: boolean;
  /** What each answer begins with, by its number. */
  echoed: (choice: number) => string;
}

const bodyOf = ({ id, created }: CompletionHeading, choices: Choices) => {
  return {
    id,
    object: "text_completion" as const,
    created,
    model: choices.model.id,
    system_fingerprint: fingerprintOf(choices),
  };
};

export function completion(
  heading: CompletionHeading,
  choices: Choices,
  written: readonly WrittenChoice[],
): Completion {
  return {
    ...bodyOf(heading, choices),
    choices: written.map(({ text, tokens, finishReason }, index) => ({
      index,
      text: heading.echoed(index) + text,
      logprobs: heading.withLogprobs ? logprobsOf(tokens, 0) : null,
      finish_reason: finishReason,
    })),
    usage: chatUsage(choices, written),
  };
}

/** `written` takes in what the chunks tell. */
export async function* completionChunks(
  heading: CompletionHeading,
  choices: Choices,
  written: WrittenChoice[],
): AsyncGenerator<StreamEvent> {
  const { withUsage, withLogprobs, echoed } = heading;
  const common = { ...bodyOf(heading, choices), ...(withUsage && { usage: null }) };
  type Choice = CompletionChunk["choices"][number];
  const chunk = (choice: Pick<Choice, "index" | "text"> & Partial<Choice>) => {
    const data: CompletionChunk = { ...common, choices: [{ logprobs: null, finish_reason: null, ...choice }] };
    return { data };
  };
  for (const index of written.keys()) if (echoed(index)) yield chunk({ index, text: echoed(index) });
  for await (const piece of choices.pieces) {
    const { choice: index, text, tokens, finishReason: finish_reason = null } = piece;
    const offset = lengthOf(written[index]!.tokens);
    addPiece(written, piece);
    const logprobs = withLogprobs ? logprobsOf(tokens, offset) : null;
    if (text !== "" || finish_reason || logprobs?.tokens.length) yield chunk({ index, text, logprobs, finish_reason });
  }
  if (withUsage)
    yield { data: { ...common, choices: [], usage: chatUsage(choices, written) } satisfies CompletionChunk };
}

const lengthOf = (tokens: readonly WrittenToken[]) => tokens.reduce((sum, { text }) => sum + text.length, 0);

/** `offset`: where in the text the first of them begins. */
function logprobsOf(tokens: readonly WrittenToken[], offset: number): CompletionLogprobs {
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logProbability }) => logProbability),
    top_logprobs: tokens.map(({ top }) =>
      Object.fromEntries(top.map(({ text, logProbability }) => [text, logProbability])),
    ),
    text_offset: tokens.map((_, i) => offset + lengthOf(tokens.slice(0, i))),
  };
}
