/** The conversation of a request as the model host reads it; what is no text is refused by path. */
import type { ChatMessageParam } from "../schemas/chatMessage.ts";
import type { ChatMessage } from "../serving/chatPrompt.ts";
import { refuse } from "./textRequest.ts";

/** Throws ApiError. */
export function readMessages(messages: readonly ChatMessageParam[]): ChatMessage[] {
  return messages.map((message, i) => {
    const { role, name } = message;
    const path = `messages[${i}]`;
    if (role === "tool" || role === "function") throw refuse(`${path}.role`, `is '${role}': no model here calls tools`);
    const content = contentOf(message, path);
    // Templates know the developer as the system.
    return { role: role === "developer" ? "system" : role, content, ...(name != null && { name }) };
  });
}

function contentOf({ role, content, refusal }: ChatMessageParam, path: string): string {
  if (typeof content === "string") return content;
  if (content == null) {
    if (role === "assistant") return refusal ?? "";
    throw refuse(`${path}.content`, "is null: only an assistant may have said nothing");
  }
  return content
    .map((part, i) => {
      if (part.type === "text") return part.text;
      if (part.type === "refusal") return part.refusal;
      throw refuse(`${path}.content[${i}].type`, `is '${part.type}': the models here read text`);
    })
    .join("\n");
}
