/** What was written as a response: whole, and as the events that lead to it. */
import type { CreateResponse, OutputMessage, OutputText, Response } from "../schemas/response.ts";
import type { WrittenToken } from "../serving/generation.ts";
import { tokenLogprob } from "./chatRendering.ts";
import type { StreamEvent } from "./endpoint.ts";
import { addPiece, type Choices, type WrittenChoice } from "./textChoices.ts";

/** What all parts of an answer have in common. */
export interface ResponseHeading {
  id: string;
  message: string;
  createdAt: number;
  request: CreateResponse;
}

export const withLogprobs = ({ include }: CreateResponse) => include?.includes("message.output_text.logprobs") ?? false;

function partOf({ request }: ResponseHeading, text: string, tokens: readonly WrittenToken[]): OutputText {
  return {
    type: "output_text",
    text,
    annotations: [],
    logprobs: withLogprobs(request) ? tokens.map(tokenLogprob) : [],
  };
}

function messageOf(
  { message: id }: ResponseHeading,
  status: OutputMessage["status"],
  content: OutputText[],
): OutputMessage {
  return { id, type: "message", role: "assistant", status, content };
}

/** Before anything was written. */
function begun({ id, createdAt, request }: ResponseHeading, { model }: Choices): Response {
  return {
    id,
    object: "response",
    created_at: createdAt,
    completed_at: null,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model: model.id,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: "default",
    store: false,
    temperature: request.temperature ?? 1,
    text: { format: request.text?.format ?? { type: "text" } },
    tool_choice: request.tool_choice === "none" ? "none" : "auto",
    tools: [],
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: "disabled",
    usage: null,
    metadata: request.metadata ?? {},
  };
}

export function response(
  heading: ResponseHeading,
  choices: Choices,
  { text, tokens, finishReason }: WrittenChoice,
): Response {
  const status = finishReason === "length" ? "incomplete" : "completed";
  const [input, output] = [choices.promptTokens, tokens.length];
  return {
    ...begun(heading, choices),
    status,
    completed_at: Math.floor(Date.now() / 1000),
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    output: [messageOf(heading, status, [partOf(heading, text, tokens)])],
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
  };
}

/** In OpenAI's order: the response, its message and its text begin, grow and end, innermost first; `written` takes in what was. */
export async function* responseEvents(
  heading: ResponseHeading,
  choices: Choices,
  written: WrittenChoice,
): AsyncGenerator<StreamEvent> {
  let sequence_number = 0;
  const event = (name: string, fields: object): StreamEvent => {
    return { name, data: { type: name, sequence_number: sequence_number++, ...fields } };
  };
  const item = { output_index: 0 };
  const part = { item_id: heading.message, ...item, content_index: 0 };
  const start = begun(heading, choices);
  yield event("response.created", { response: start });
  yield event("response.in_progress", { response: start });
  yield event("response.output_item.added", { ...item, item: messageOf(heading, "in_progress", []) });
  yield event("response.content_part.added", { ...part, part: partOf(heading, "", []) });
  for await (const piece of choices.pieces) {
    addPiece([written], piece);
    const { text: delta, logprobs } = partOf(heading, piece.text, piece.tokens);
    if (delta !== "" || logprobs.length > 0) yield event("response.output_text.delta", { ...part, delta, logprobs });
  }
  const whole = response(heading, choices, written);
  const [message] = whole.output;
  const [content] = message!.content;
  yield event("response.output_text.done", { ...part, text: content!.text, logprobs: content!.logprobs });
  yield event("response.content_part.done", { ...part, part: content });
  yield event("response.output_item.done", { ...item, item: message });
  yield event(`response.${whole.status}`, { response: whole });
}
