/** Asking a model of ours, as the one that is graded or as one that grades: its label, or the text that it writes. */
import { newId } from "../ids.ts";
import { chatCompletions } from "../inference/chatCompletions.ts";
import { textOf } from "../inference/decisionText.ts";
import type { InferenceContext } from "../inference/endpoint.ts";
import { type CallableModel, isFineTuned, isImported, withoutLabels } from "../inference/modelLookUp.ts";
import { rowOf } from "../inference/rows.ts";
import type { TokenUsage } from "../inference/usage.ts";
import { asVariant } from "../inference/variantParameters.ts";
import type { Asked } from "../pricing/asked.ts";
import { CreateChatCompletion } from "../schemas/chatCompletion.ts";
import type { EvalMessage } from "../schemas/evalGrader.ts";
import type { Variant } from "../schemas/function.ts";
import type { ModelRecord } from "../schemas/model.ts";
import type { Project } from "../schemas/project.ts";
import type { Classification } from "../serving/host.ts";
import { likeliestLabel } from "../serving/likeliestLabel.ts";
import { toApiError } from "../validation.ts";
import type { NamedModels } from "./namedModels.ts";
import { RuleError } from "./ruleError.ts";
import { fill, type Variables } from "./templates.ts";

export interface Asking {
  context: Pick<InferenceContext, "models" | "host">;
  named: NamedModels;
  project: Project;
  signal: AbortSignal;
  /** Asks again, or not, what was refused for a passing reason. */
  patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
  /** Told of every answer of a model, also of one that then was of no use. */
  onAnswer?(asked: Asked): void;
  /** Told of what is no fault of the client's. */
  report(error: unknown): void;
}

export interface Message {
  role: EvalMessage["role"];
  content: string;
}

/** As chat completions name them. */
export type WritingParams = Partial<Omit<CreateChatCompletion, "model" | "messages">>;

export interface Question {
  /** As it was named. */
  model: string;
  messages: readonly Message[];
  /** What a model of tables reads its row from. */
  item: unknown;
  params?: WritingParams;
}

export interface Answer {
  /** A label, where the model has labels. */
  text: string;
  /** What it made of the text; undefined where it wrote. */
  read?: Classification;
  /** The model that answered. */
  model: string;
  finish_reason: string;
  usage: TokenUsage;
}

/** Templates filled. Throws RuleError where a variable names nothing. */
export function messagesOf(messages: readonly EvalMessage[], variables: Variables): Message[] {
  return messages.map(({ role, content }) => {
    const parts = [content].flat().map((part) => (typeof part === "string" ? part : part.text));
    return { role, content: parts.map((part) => fill(part, variables)).join("\n") };
  });
}

/** Throws ApiError naming the model where it neither has labels nor writes. */
export function requireAnswering(model: CallableModel): void {
  if (!isFineTuned(model) && !isImported(model)) throw withoutLabels(model);
}

/** Throws ApiError. */
export async function askModel(asking: Asking, question: Question): Promise<Answer> {
  const { model, variant } = await asking.patiently(() => asking.named.find(asking.project, question.model));
  requireAnswering(model);
  const reads = isFineTuned(model);
  const answer = await (reads ? askForLabel(asking, model, question) : write(asking, { ...question, variant }));
  const endpoint = reads ? "/v1/decisions" : "/v1/chat/completions";
  asking.onAnswer?.({ endpoint, model: answer.model, usage: answer.usage });
  return answer;
}

async function askForLabel({ context, signal, patiently }: Asking, model: ModelRecord, { messages, item }: Question) {
  const text = model.columns ? rowTextOf(model.columns, item) : textOf([...messages]);
  const [read] = await patiently(() => context.host.classify(model, [text], signal));
  const usage = { input_tokens: read!.tokens, output_tokens: 0 };
  return { text: likeliestLabel(read!), read: read!, model: model.id, finish_reason: "stop", usage };
}

/** The item's own fields that are the model's columns. */
function rowTextOf(columns: NonNullable<ModelRecord["columns"]>, item: unknown): string {
  const cells = Object.entries(item ?? {}).filter(([name]) => columns.some((column) => column.name === name));
  return rowOf([{ role: "user", content: [{ type: "input_json", data: Object.fromEntries(cells) }] }], columns);
}

type Writing = Question & { variant: Variant | null };

async function write({ context, project, signal, patiently }: Asking, { model, messages, params, variant }: Writing) {
  const own = { ...params, model, messages: [...instructionsOf(variant), ...messages] };
  const body = variant ? asVariant(chatCompletions, own as CreateChatCompletion, variant) : own;
  const parsed = CreateChatCompletion.safeParse(body);
  if (!parsed.success) throw toApiError(parsed.error.issues[0]!, body);
  const call = { context, project, signal, request: parsed.data };
  const { body: completion } = await patiently(() => chatCompletions.answer({ ...call, id: newId("request") }));
  const [choice] = completion.choices;
  const { prompt_tokens, completion_tokens } = completion.usage;
  return {
    text: choice!.message.content ?? "",
    model: completion.model,
    finish_reason: choice!.finish_reason,
    usage: { input_tokens: prompt_tokens, output_tokens: completion_tokens },
  };
}

/** Chat completions know no field for them. */
function instructionsOf(variant: Variant | null): Message[] {
  const content = variant?.parameters?.instructions;
  return content ? [{ role: "developer", content }] : [];
}

/** Of a text that was held to a schema. */
export function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new RuleError("unreadable_answer", "The model's answer is no JSON object: it may have been cut off.");
}
