/** Chat completions: what a model says next in a conversation. */
import { sameId } from "../ids.ts";
import { type ChatCompletion, CreateChatCompletion } from "../schemas/chatCompletion.ts";
import { readMessages } from "./chatMessages.ts";
import { chatChunks, chatCompletion, type Heading } from "./chatRendering.ts";
import type { Endpoint, InferenceCall } from "./endpoint.ts";
import { type Choices, collectChoices, unwritten, writeChoices } from "./textChoices.ts";
import { jsonFormat, refuse, requireStream, samplingOf } from "./textRequest.ts";

type Call = InferenceCall<CreateChatCompletion>;

export const chatCompletions: Endpoint<CreateChatCompletion, ChatCompletion> = {
  path: "/v1/chat/completions",
  schema: CreateChatCompletion,
  async answer(call) {
    const choices = await begin(call);
    const body = chatCompletion(heading(call), choices, await collectChoices(choices));
    return { body, model: choices.model.id, digest: choices.model.digest };
  },
  async stream(call) {
    const choices = await begin(call);
    const head = heading(call);
    const written = unwritten(choices.count);
    const events = chatChunks(head, choices, written);
    const whole = () => chatCompletion(head, choices, written);
    return { model: choices.model.id, digest: choices.model.digest, events, whole };
  },
};

function heading({ id, request }: Call): Heading {
  return { id: sameId("chat_completion", id), created: Math.floor(Date.now() / 1000), request };
}

async function begin(call: Call): Promise<Choices> {
  const { request } = call;
  refuseTools(request);
  requireStream(request);
  if (request.top_logprobs && !request.logprobs) throw refuse("top_logprobs", "goes with 'logprobs' alone");
  const prompt = {
    ...samplingOf(request),
    prompt: { messages: readMessages(request.messages) },
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
    topLogProbabilities: request.logprobs ? (request.top_logprobs ?? 0) : 0,
    json: formatOf(request),
    names: { prompt: "messages", json: "response_format" },
  };
  return writeChoices(call, { model: request.model, prompts: [prompt], n: request.n ?? 1 });
}

function formatOf({ response_format: format }: CreateChatCompletion) {
  if (!format || format.type === "text") return undefined;
  if (format.type === "json_object") return jsonFormat(undefined, "response_format");
  return jsonFormat(format.json_schema.schema, "response_format.json_schema.schema");
}

function refuseTools({ tools, tool_choice, function_call }: CreateChatCompletion): void {
  const forced = (choice: unknown) => choice != null && choice !== "none" && choice !== "auto";
  if (forced(tool_choice)) throw refuse("tool_choice", "asks for a tool: no model here calls tools");
  if (forced(function_call)) throw refuse("function_call", "asks for a function: no model here calls functions");
  if (tools?.length && tool_choice !== "none") {
    throw refuse("tools", "cannot be called by a model here: leave them out, or set 'tool_choice' to 'none'");
  }
}
