/** The conversation that a response answers, as the model host reads it; what is no text is refused by path. */
import type { CreateResponse } from "../schemas/response.ts";
import type { ResponseInput, ResponseInputMessage } from "../schemas/responseInput.ts";
import type { ChatMessage } from "../serving/chatPrompt.ts";
import { refuse } from "./textRequest.ts";

type Item = Exclude<ResponseInput, string>[number];

/** Throws ApiError. */
export function readConversation({ input, instructions }: CreateResponse): ChatMessage[] {
  const told: ChatMessage[] = instructions ? [{ role: "system", content: instructions }] : [];
  if (typeof input === "string") return [...told, { role: "user", content: input }];
  return [...told, ...input.map((item, i) => readItem(item, `input[${i}]`))];
}

const isMessage = (item: Item): item is ResponseInputMessage => item.type === undefined || item.type === "message";

function readItem(item: Item, path: string): ChatMessage {
  if (!isMessage(item)) throw refuse(`${path}.type`, `is '${item.type}': the models here read messages of text`);
  const { role, content } = item;
  return { role: role === "developer" ? "system" : role, content: textOf(content, path) };
}

function textOf(content: ResponseInputMessage["content"], path: string): string {
  if (typeof content === "string") return content;
  const texts = content.map((part, i) => {
    if (part.type === "input_text" || part.type === "output_text") return part.text;
    if (part.type === "refusal") return part.refusal;
    throw refuse(`${path}.content[${i}].type`, `is '${part.type}': the models here read text`);
  });
  return texts.join("\n");
}
