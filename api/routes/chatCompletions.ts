/** `/v1/chat/completions` */
import { createRoute, z } from "@hono/zod-openapi";
import { chatCompletions } from "../../shared/inference/chatCompletions.ts";
import { ChatCompletion, ChatCompletionChunk, CreateChatCompletion } from "../../shared/schemas/chatCompletion.ts";
import { DeletedChatCompletion, StoredMessage, UpdateChatCompletion } from "../../shared/schemas/chatStored.ts";
import { listOf } from "../../shared/schemas/list.ts";
import { newRouter, type Router } from "../router.ts";
import type { Services } from "../services/services.ts";
import {
  events,
  failures,
  idParams,
  json,
  jsonBody,
  overloaded,
  paging,
  tooLarge,
  wrongMediaType,
} from "./contract.ts";
import { answerOrStream } from "./eventStream.ts";
import { metadataFilter, metadataParameter } from "./metadataFilter.ts";

const tags = ["Chat completions"];
const params = idParams("Id of a stored completion, `chatcmpl-…`.");
const page = paging("chat_completion", { maximum: 100, usual: 20 }).extend({
  order: z.enum(["asc", "desc"]).default("asc").openapi({ description: "By time of creation." }),
});
const CompletionList = listOf(ChatCompletion, "ChatCompletionList");
const MessageList = listOf(StoredMessage, "StoredMessageList");

const create = createRoute({
  method: "post",
  path: "/v1/chat/completions",
  tags,
  summary: "Ask a model what comes next in a conversation",
  request: { body: jsonBody(CreateChatCompletion) },
  responses: {
    200: events(ChatCompletion, ChatCompletionChunk, "The completion, or chunks of it that end with `[DONE]`."),
    ...failures,
    ...tooLarge,
    ...wrongMediaType,
    ...overloaded,
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/chat/completions",
  tags,
  summary: "List stored completions",
  request: {
    query: page.extend({
      model: z.string().max(512).optional().openapi({ description: "Only completions of this model." }),
      metadata: metadataParameter,
    }),
  },
  responses: { 200: json(CompletionList, "A page of completions."), ...failures },
});

const retrieve = createRoute({
  method: "get",
  path: "/v1/chat/completions/{id}",
  tags,
  summary: "Retrieve a stored completion",
  request: { params },
  responses: { 200: json(ChatCompletion, "The completion."), ...failures },
});

const update = createRoute({
  method: "post",
  path: "/v1/chat/completions/{id}",
  tags,
  summary: "Label a stored completion",
  description:
    "Labels `feedback_<metric>`, `feedback_comment` and `feedback_demonstration` that are new or changed are feedback, as `POST /v1/feedback` describes it.",
  request: { params, body: jsonBody(UpdateChatCompletion) },
  responses: { 200: json(ChatCompletion, "The completion."), ...failures, ...tooLarge, ...wrongMediaType },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/chat/completions/{id}",
  tags,
  summary: "Delete a stored completion",
  request: { params },
  responses: { 200: json(DeletedChatCompletion, "The completion is gone."), ...failures },
});

const messages = createRoute({
  method: "get",
  path: "/v1/chat/completions/{id}/messages",
  tags,
  summary: "List what was said before a stored completion",
  request: {
    params,
    query: page.extend({
      after: z
        .string()
        .regex(/^chatcmpl-[0-9a-z]{26}-[0-9]+$/, "not an id of this list")
        .optional()
        .openapi({ description: "Id of the last message seen." }),
    }),
  },
  responses: { 200: json(MessageList, "A page of messages."), ...failures },
});

type Needs = Pick<Services, "inference" | "storedCompletions" | "observe">;

export function chatCompletionRoutes({ inference, storedCompletions, observe }: Needs): Router {
  const route = { inference, observe, endpoint: chatCompletions, schema: ChatCompletion };
  return newRouter()
    .openapi(create, (c) => answerOrStream(c, c.req.valid("json"), route))
    .openapi(list, async (c) => {
      const query = { ...c.req.valid("query"), metadata: metadataFilter(c.req.query()) };
      return c.json(CompletionList.parse(await storedCompletions.list(c.var.project, query)), 200);
    })
    .openapi(retrieve, async (c) =>
      c.json(ChatCompletion.parse(await storedCompletions.get(c.var.project, c.req.valid("param").id)), 200),
    )
    .openapi(update, async (c) => {
      const { metadata } = c.req.valid("json");
      const updated = await storedCompletions.update(c.var.project, c.req.valid("param").id, metadata);
      return c.json(ChatCompletion.parse(updated), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid("param");
      await storedCompletions.delete(c.var.project, id);
      return c.json({ id, object: "chat.completion.deleted" as const, deleted: true }, 200);
    })
    .openapi(messages, async (c) => {
      const found = await storedCompletions.messages(c.var.project, c.req.valid("param").id, c.req.valid("query"));
      return c.json(MessageList.parse(found), 200);
    });
}
