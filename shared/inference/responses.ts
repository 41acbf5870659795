/** Responses: a text that answers a text or a conversation, in the form that the SDK now proposes first. */
import { sameId } from "../ids.ts";
import { CreateResponse, type Response } from "../schemas/response.ts";
import type { Endpoint, InferenceCall } from "./endpoint.ts";
import { readConversation } from "./responsesInput.ts";
import { type ResponseHeading, response, responseEvents, withLogprobs } from "./responsesRendering.ts";
import { type Choices, collectChoices, unwritten, writeChoices } from "./textChoices.ts";
import { jsonFormat, refuse, requireStream, samplingOf } from "./textRequest.ts";

type Call = InferenceCall<CreateResponse>;

export const responses: Endpoint<CreateResponse, Response> = {
  path: "/v1/responses",
  schema: CreateResponse,
  async answer(call) {
    const choices = await begin(call);
    const [written] = await collectChoices(choices);
    const body = response(headingOf(call), choices, written!);
    return { body, model: choices.model.id, digest: choices.model.digest };
  },
  async stream(call) {
    const choices = await begin(call);
    const heading = headingOf(call);
    const [written] = unwritten(1);
    const events = responseEvents(heading, choices, written!);
    const whole = () => response(heading, choices, written!);
    return { model: choices.model.id, digest: choices.model.digest, events, whole };
  },
};

function headingOf({ id, request }: Call): ResponseHeading {
  const createdAt = Math.floor(Date.now() / 1000);
  return { id: sameId("response", id), message: sameId("response_message", id), createdAt, request };
}

async function begin(call: Call): Promise<Choices> {
  const { request } = call;
  refuseUnmet(request);
  requireStream(request);
  const prompt = {
    ...samplingOf(request),
    prompt: { messages: readConversation(request) },
    maxTokens: request.max_output_tokens ?? undefined,
    topLogProbabilities: withLogprobs(request) ? (request.top_logprobs ?? 0) : 0,
    json: formatOf(request),
    names: { prompt: "input", json: "text.format" },
  };
  return writeChoices(call, { model: request.model, prompts: [prompt], n: 1 });
}

function formatOf({ text }: CreateResponse) {
  const format = text?.format;
  if (!format || format.type === "text") return undefined;
  return jsonFormat(format.type === "json_schema" ? format.schema : undefined, "text.format.schema");
}

function refuseUnmet({ tools, tool_choice, truncation, background }: CreateResponse): void {
  if (tool_choice != null && tool_choice !== "none" && tool_choice !== "auto") {
    throw refuse("tool_choice", "asks for a tool: no model here calls tools");
  }
  if (tools?.length && tool_choice !== "none") {
    throw refuse("tools", "cannot be called by a model here: leave them out, or set 'tool_choice' to 'none'");
  }
  if (truncation === "auto") throw refuse("truncation", "is 'auto': what is too long is refused, so send less");
  if (background) throw refuse("background", "is true: a response is answered while one waits for it");
}
