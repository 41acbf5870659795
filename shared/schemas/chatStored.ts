/** Chat completions that were asked to be kept, and what was said before them. */
import { z } from "@hono/zod-openapi";
import { ChatCompletion } from "./chatCompletion.ts";
import { ChatMessageParam } from "./chatMessage.ts";
import { Metadata } from "./metadata.ts";

/** Of its inference. */
export const StoredContent = z.object({
  input: z.object({ messages: z.array(ChatMessageParam) }),
  output: ChatCompletion,
});
export type StoredContent = z.infer<typeof StoredContent>;

export const UpdateChatCompletion = z
  .strictObject({
    metadata: Metadata.nullable().openapi({ description: "As given; null: none." }),
  })
  .openapi("UpdateChatCompletion");

export const DeletedChatCompletion = z
  .object({
    id: z.string().openapi({ description: "The id it had." }),
    object: z.literal("chat.completion.deleted").openapi({ description: "Always `chat.completion.deleted`." }),
    deleted: z.boolean().openapi({ description: "Always true: the completion is gone." }),
  })
  .openapi("DeletedChatCompletion");

export const StoredMessage = z
  .object({
    id: z.string().openapi({ description: "The completion's id and the message's place." }),
    role: z.string().openapi({ description: "Who spoke." }),
    content: z.string().nullable().openapi({ description: "The text; null where it was given in parts." }),
    content_parts: z.array(z.looseObject({})).nullable().openapi({ description: "The parts, where it was given so." }),
    name: z.string().nullable().openapi({ description: "As it was given." }),
    refusal: z.string().nullable().openapi({ description: "As it was given." }),
  })
  .openapi("StoredMessage");
export type StoredMessage = z.infer<typeof StoredMessage>;
