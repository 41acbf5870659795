/** A conversation as a prompt: by the template that the checkpoint brings, else as plain text with names. */
import { Template } from "@huggingface/jinja";
import type { CausalText } from "../engine/generation/causalText.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
  readonly name?: string | undefined;
}

export interface Prompt {
  readonly tokens: readonly number[];
  /** Sequences that end the answer, besides those asked for. */
  readonly stop: readonly string[];
  /** Whether blanks before the answer's first word are no part of it. */
  readonly trims?: boolean;
}

/** What the template said of messages it does not take; for the client's eyes. */
export class TemplateError extends Error {
  override name = "TemplateError";
}

const names = { system: "System", user: "User", assistant: "Assistant" } as const;

/** Renders conversations of one checkpoint. Throws TemplateError, also where the template itself cannot be read. */
export function chatPrompts(text: CausalText): (messages: readonly ChatMessage[]) => Prompt {
  const { chatTemplate, tokenizer, specialTokens } = text;
  if (chatTemplate === undefined) return (messages) => plainPrompt(text, messages);
  const template = templating(() => new Template(chatTemplate));
  return (messages) => {
    const values = { ...specialTokens, messages, add_generation_prompt: true };
    return { tokens: tokenizer.encodeBare(templating(() => template.render(values)).toWellFormed()), stop: [] };
  };
}

/**
 * `System: …`, `User: …` and `Assistant: …`, a blank line between them, and a last `Assistant:` to go on from. A model
 * that was not trained to end its answers would write the user's part too: there it is stopped.
 */
function plainPrompt({ tokenizer }: CausalText, messages: readonly ChatMessage[]): Prompt {
  const parts = messages.map(({ role, content }) => `${names[role]}: ${content}`);
  const text = [...parts, `${names.assistant}:`].join("\n\n");
  const { input_ids: tokens } = tokenizer.encode(text.toWellFormed());
  return { tokens, stop: [`\n\n${names.user}:`, `\n${names.user}:`], trims: true };
}

function templating<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    throw new TemplateError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
