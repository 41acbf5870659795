/** What there is to learn from an inference: the text that was asked about, and the label that was answered. */
import { ApiError } from "../errors.ts";
import { CreateChatCompletion } from "../schemas/chatCompletion.ts";
import { CreateDecision, Decision } from "../schemas/decision.ts";
import { textOf } from "./decisionText.ts";

interface Lesson {
  /** Undefined where it was about no text. */
  text(input: unknown): string | undefined;
  /** Undefined where the answer was no label. */
  label(output: unknown): string | undefined;
}

const DecisionInputs = CreateDecision.pick({ input: true }).loose();
const DecisionAnswers = Decision.pick({ answers: true }).loose();
const Conversation = CreateChatCompletion.pick({ messages: true }).loose();

const lessons: Readonly<Record<string, Lesson>> = {
  "/v1/decisions": {
    text(input) {
      const asked = DecisionInputs.safeParse(input);
      return asked.success ? unlessRefused(() => textOf(asked.data.input)) : undefined;
    },
    // A model has one question: where several are asked, the first one that it chose an answer to is it.
    label(output) {
      const answers = DecisionAnswers.safeParse(output).data?.answers;
      const chosen = answers?.find(({ type }) => type === "choice");
      return chosen?.type === "choice" ? String(chosen.choice) : undefined;
    },
  },
  "/v1/chat/completions": {
    text(input) {
      const asked = Conversation.safeParse(input);
      const said = asked.data?.messages.filter(({ role }) => role === "user").map(({ content }) => contentOf(content));
      return said?.length ? said.join("\n") : undefined;
    },
    label(output) {
      const [choice] = (output as { choices?: { message?: { content?: unknown } }[] }).choices ?? [];
      return typeof choice?.message?.content === "string" ? choice.message.content.trim() : undefined;
    },
  },
};

/** Undefined where a classifier can learn nothing from it. */
export function lessonOf(
  endpoint: string,
  { input, output }: { input: unknown; output: unknown },
): { text: string; label: string | undefined } | undefined {
  const lesson = lessons[endpoint];
  const text = lesson && input != null ? lesson.text(input)?.trim() : undefined;
  return text ? { text, label: output == null ? undefined : lesson!.label(output) } : undefined;
}

function contentOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = Array.isArray(content) ? content : [];
  return parts.map((part) => ("text" in part ? String(part.text) : "")).join("\n");
}

/** What is about an image or a row of a table is about no text. */
function unlessRefused(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
