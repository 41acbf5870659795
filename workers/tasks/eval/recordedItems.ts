/** Items from what was recorded: stored chat completions, and responses whose texts were kept. */
import { z } from "zod";
import type { ChatMessageParam } from "../../../shared/schemas/chatMessage.ts";
import { StoredContent } from "../../../shared/schemas/chatStored.ts";
import type { EvalContent, EvalDataSource } from "../../../shared/schemas/evalRun.ts";
import { mostEvalItems } from "../../../shared/schemas/evalRun.ts";
import type { InferenceRecord } from "../../../shared/schemas/inference.ts";
import { type InferenceFilter, selectInferences } from "../../../shared/stores/inferenceFilter.ts";
import type { Attempt } from "./attempt.ts";

type Recorded = Extract<EvalDataSource["source"], { type: "stored_completions" | "responses" }>;

/** Newest first. What was not kept to its end is left out. */
export async function* recordedItems(attempt: Attempt, source: Recorded): AsyncGenerator<EvalContent> {
  const { context, run } = attempt;
  const { inferences } = context.stores;
  const { limit } = source.type === "stored_completions" ? source : { limit: null };
  let left = limit ?? mostEvalItems;
  for await (const row of selectInferences(inferences, run.project_id, filterOf(attempt, source))) {
    const item = read[source.type](row, await inferences.read(row));
    if (!item) continue;
    yield item;
    if (--left === 0) return;
  }
}

/** Labels of the eval's own and of the source's must all be there. */
function filterOf({ eval: { data_source_config: config } }: Attempt, source: Recorded): InferenceFilter {
  const labels = { ...(config.type === "custom" ? {} : config.metadata), ...source.metadata };
  return {
    ...(source.type === "stored_completions" ? { is_stored: true } : { endpoint: "/v1/responses" }),
    model: source.model ?? undefined,
    created_after: source.created_after ?? undefined,
    created_before: source.created_before ?? undefined,
    metadata: Object.keys(labels).length ? labels : undefined,
  };
}

const Response = z.object({
  input: z.object({ input: z.unknown(), instructions: z.string().nullish() }),
  output: z.object({
    output: z.array(z.object({ content: z.array(z.object({ text: z.string().optional() })).default([]) })),
  }),
});

type Content = { input: unknown; output: unknown };
type Read = Record<Recorded["type"], (row: InferenceRecord, content: Content) => EvalContent | undefined>;

const read: Read = {
  stored_completions(row, content) {
    const parsed = StoredContent.safeParse(content);
    if (!parsed.success) return undefined;
    const [choice] = parsed.data.output.choices;
    const input = parsed.data.input.messages.map(plain);
    return { ...itemOf(row, input), sample: sampleOf(row, input, choice?.message.content ?? "") };
  },
  responses(row, content) {
    const parsed = Response.safeParse(content);
    if (!parsed.success) return undefined;
    const { input, instructions } = parsed.data.input;
    const said = typeof input === "string" ? [{ role: "user", content: input }] : input;
    const messages = [...(instructions ? [{ role: "developer", content: instructions }] : []), ...[said].flat()];
    const text = parsed.data.output.output.flatMap(({ content: parts }) => parts.map((part) => part.text ?? ""));
    return { ...itemOf(row, messages), sample: sampleOf(row, messages, text.join("")) };
  },
};

function itemOf({ id, metadata }: InferenceRecord, input: unknown): Pick<EvalContent, "item"> {
  return { item: { inference_id: id, input, metadata: metadata ?? {} } };
}

function sampleOf({ model }: InferenceRecord, input: unknown, output_text: string): Record<string, unknown> {
  return { model, input, output_text, output: [{ role: "assistant", content: output_text }] };
}

/** As templates of messages and graders read it. */
function plain({ role, content }: z.infer<typeof ChatMessageParam>) {
  const parts = Array.isArray(content) ? content.map((part) => ("text" in part ? String(part.text) : "")) : [content];
  return { role, content: parts.join("\n") };
}
