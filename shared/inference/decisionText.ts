/** Which text a decision is about. */
import { ApiError } from "../errors.ts";
import type { DecisionInput } from "../schemas/decisionInput.ts";

type Item = Exclude<DecisionInput, string>[number];
type Message = Extract<Item, { type?: "message" }>;

/** What the user says, joined by line breaks: instructions and earlier answers are not what is classified. */
export function textOf(input: DecisionInput): string {
  if (typeof input === "string") return input;
  const texts = input.map((item, index) => ({ item, text: textOfItem(item, `input[${index}]`) }));
  const said = texts.filter(({ item }) => isMessage(item) && item.role === "user");
  if (said.length > 0) return said.map(({ text }) => text).join("\n");
  throw new ApiError("invalid_value", "'input' has no message of role 'user': there is nothing to decide on.", {
    param: "input",
  });
}

function textOfItem(item: Item, path: string): string {
  if (!isMessage(item)) throw unsupported(item.type, path);
  if (typeof item.content === "string") return item.content;
  return item.content
    .map((part, index) => {
      if (part.type === "input_image" || part.type === "input_json") {
        throw unsupported(part.type, `${path}.content[${index}]`);
      }
      return part.type === "refusal" ? part.refusal : part.text;
    })
    .join("\n");
}

export const isMessage = (item: Item): item is Message => item.type === undefined || item.type === "message";

export function unsupported(type: string, path: string, reads = "text"): ApiError {
  return new ApiError("invalid_value", `'${path}' is of type '${type}': this model reads ${reads} only.`, {
    param: `${path}.type`,
  });
}
