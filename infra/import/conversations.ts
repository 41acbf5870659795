/** Recorded completions with what was said before them, wherever in an export that stands. */
import { contentText, isObject } from "../../shared/data/row.ts";
import { placeOfMessage } from "./kinds.ts";
import type { Problem } from "./problem.ts";

type Value = Record<string, unknown>;
export type Placed = { value: Value; place: string };

/** As `POST /v1/inferences` takes it, with where it was found. */
export interface Recorded {
  place: string;
  id: string;
  model: string;
  created_at: number;
  input: { messages: Value[] };
  output: Value;
  metadata: Record<string, string> | null;
}

export interface ConversationParts {
  completions: readonly Placed[];
  messages: readonly Placed[];
  batchRequests: readonly Placed[];
  batchAnswers: readonly Placed[];
}

export function joinConversations(parts: ConversationParts): { recorded: Recorded[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const said = messagesByCompletion(parts.messages);
  const asked = requestsById(parts.batchRequests);
  const recorded: Recorded[] = [];
  const add = ({ value, place }: Placed, messages: unknown, missing: string) => {
    const found = recordedOf(value, place, messages, missing);
    if (typeof found === "string") problems.push({ place, message: found });
    else recorded.push(found);
  };
  for (const each of parts.completions) {
    const messages = messagesIn(each.value) ?? said.get(String(each.value.id));
    add(each, messages, "its messages are not in the folder: export chat.completions.messages.list, too");
  }
  for (const { value, place } of parts.batchAnswers) {
    const { status_code, body } = (value.response ?? {}) as { status_code?: number; body?: unknown };
    if (!isObject(body) || body.object !== "chat.completion") {
      const why = status_code === 200 || !status_code ? "not a chat completion" : `an error, ${status_code}`;
      problems.push({ place, message: `The answer to '${value.custom_id}' is ${why}.` });
      continue;
    }
    const request = asked.get(String(value.custom_id));
    const missing = request === null ? "two requests have its custom_id" : "its request is not in the folder";
    add({ value: body, place }, request?.messages, missing);
  }
  return { recorded, problems };
}

function messagesIn({ messages, input }: Value): unknown {
  const said = Array.isArray(messages) ? messages : isObject(input) ? input.messages : input;
  return Array.isArray(said) && said.every(isObject) ? said.map(asAsked) : undefined;
}

/** An item of a list of messages as it stood in the request. */
function asAsked({ id: _, content_parts: parts, ...message }: Value): Value {
  return { ...message, content: message.content ?? parts ?? null };
}

function messagesByCompletion(messages: readonly Placed[]): Map<string, Value[]> {
  const found = new Map<string, [place: number, message: Value][]>();
  for (const { value } of messages) {
    const { completion, place } = placeOfMessage(String(value.id));
    found.set(completion, [...(found.get(completion) ?? []), [place, asAsked(value)]]);
  }
  return new Map(
    [...found].map(([id, placed]) => [id, placed.sort(([a], [b]) => a - b).map(([, message]) => message)]),
  );
}

/** Null where several differ. */
function requestsById(requests: readonly Placed[]): Map<string, { messages?: unknown } | null> {
  const found = new Map<string, Value | null>();
  for (const { value } of requests) {
    const id = String(value.custom_id);
    const earlier = found.get(id);
    const isSame = earlier === undefined || JSON.stringify(earlier) === JSON.stringify(value.body);
    found.set(id, isSame ? (value.body as Value) : null);
  }
  return found;
}

/** The words where it cannot be one. */
function recordedOf(completion: Value, place: string, messages: unknown, missing: string): Recorded | string {
  const { messages: _messages, input: _input, ...output } = completion;
  const { id, model, created, metadata, choices } = output;
  if (typeof id !== "string" || typeof model !== "string") return "The completion has no id or no model.";
  if (!Number.isInteger(created)) return `The completion '${id}' has no time of creation.`;
  if (!Array.isArray(choices) || choices.length === 0) return `The completion '${id}' has no choices.`;
  if (!Array.isArray(messages) || !messages.length || !messages.every(isObject)) {
    return `The completion '${id}' cannot be kept: ${missing}.`;
  }
  return {
    ...{ place, id, model, created_at: created as number, output },
    input: { messages: messages.map((message) => withoutNulls(message)) },
    metadata: isObject(metadata) ? (metadata as Record<string, string>) : null,
  };
}

/** Lists of messages spell out what a request leaves out; a content of null says something. */
function withoutNulls(message: Value): Value {
  return Object.fromEntries(Object.entries(message).filter(([name, value]) => value !== null || name === "content"));
}

/** What the users said, as a classifier reads it; undefined where that is no text. */
export function textOf({ input }: Recorded): string | undefined {
  const said = input.messages.filter(({ role }) => role === "user").map(({ content }) => contentText(content));
  return said.length && !said.includes(undefined) ? said.join("\n") : undefined;
}

/** What was answered; undefined where it was no text. */
export function answerOf({ output }: Recorded | { output: Value }): string | undefined {
  const [choice] = output.choices as { message?: { content?: unknown } }[];
  return typeof choice?.message?.content === "string" ? choice.message.content.trim() : undefined;
}
