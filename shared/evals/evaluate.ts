/** One item of a run: its model is asked, or its sample taken as it is, and every criterion is held against what came of it. */
import type { Grader } from "../schemas/evalGrader.ts";
import type { EvalItemContent, EvalSample } from "../schemas/evalOutputItem.ts";
import type { EvalContent, EvalDataSource } from "../schemas/evalRun.ts";
import { type Asking, askModel, type Message, messagesOf, type WritingParams } from "./asking.ts";
import { errorOf, type ModelUse, resultOf } from "./graders.ts";
import { RuleError } from "./ruleError.ts";
import { lookUp } from "./templates.ts";

export interface Plan {
  source: EvalDataSource;
  criteria: readonly Grader[];
}

export interface Evaluated {
  status: "pass" | "fail" | "error";
  content: EvalItemContent;
  uses: readonly ModelUse[];
}

/** Throws where it was aborted, and for nothing else. */
export async function evaluate(asking: Asking, { source, criteria }: Plan, given: EvalContent): Promise<Evaluated> {
  const sampled = await sampleOf(asking, source, given);
  const { item: datasource_item } = given;
  const { sample, variables } = sampled;
  const uses = sample.model !== null && isAsked(source) ? [useOf(sample)] : [];
  if (sample.error) return { status: "error", content: { datasource_item, sample, results: [] }, uses };
  const grading = { ...asking, variables: { item: datasource_item, sample: variables } };
  const graded = await Promise.all(criteria.map((criterion) => resultOf(criterion, grading)));
  const results = graded.map(({ result }) => result);
  const isErrored = results.some(({ error }) => error !== null);
  return {
    status: isErrored ? "error" : results.every(({ passed }) => passed) ? "pass" : "fail",
    content: { datasource_item, sample, results },
    uses: [...uses, ...graded.flatMap((each) => each.uses)],
  };
}

type Asked = Extract<EvalDataSource, { model?: string | undefined }> & { model: string };

export function isAsked(source: EvalDataSource): source is Asked {
  return source.type !== "jsonl" && source.model !== undefined;
}

interface Sampled {
  sample: EvalSample;
  /** What `{{sample.…}}` reads. */
  variables: Record<string, unknown>;
}

async function sampleOf(asking: Asking, source: EvalDataSource, given: EvalContent): Promise<Sampled> {
  if (!isAsked(source)) return givenSample(given);
  const params = paramsOf(source);
  const { temperature = null, top_p = null, seed = null, max_completion_tokens = null } = params;
  const settings = { temperature, top_p, seed, max_completion_tokens };
  let input: Message[] = [];
  try {
    input = inputOf(source, given);
    const { text, ...answer } = await askModel(asking, {
      model: source.model,
      messages: input,
      item: given.item,
      params,
    });
    const { finish_reason, model } = answer;
    const usage = usageOf(answer.usage.input_tokens, answer.usage.output_tokens);
    const output = [{ role: "assistant", content: text }];
    const sample = { input, output, finish_reason, model, usage, error: null, ...settings };
    return { sample, variables: withJson({ output_text: text, model, finish_reason, input, output }) };
  } catch (cause) {
    asking.signal.throwIfAborted();
    return { sample: { ...noSample, input, error: errorOf(cause, asking), ...settings }, variables: {} };
  }
}

const usageOf = (prompt_tokens: number, completion_tokens: number) => {
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, cached_tokens: 0 };
};

const useOf = ({ model, usage }: EvalSample): ModelUse => {
  return { model: model!, input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens };
};

export const noSample: EvalSample = {
  input: [],
  output: [],
  finish_reason: null,
  model: null,
  usage: usageOf(0, 0),
  error: null,
  temperature: null,
  max_completion_tokens: null,
  top_p: null,
  seed: null,
};

function givenSample({ item, sample = {} }: EvalContent): Sampled {
  const { output_text, model } = sample;
  const output = typeof output_text === "string" ? [{ role: "assistant", content: output_text }] : [];
  const input = isMessages(item.input) ? item.input : [];
  const told = { ...noSample, input, output, model: typeof model === "string" ? model : null };
  return { sample: told, variables: withJson(sample) };
}

/** `sample.output_json`, where the text is JSON. */
function withJson(sample: Record<string, unknown>): Record<string, unknown> {
  try {
    return { output_json: JSON.parse(String(sample.output_text)), ...sample };
  } catch {
    return sample;
  }
}

function inputOf({ input_messages }: Asked, { item }: EvalContent): Message[] {
  const variables = { item, sample: {} };
  if (input_messages?.type === "template") return messagesOf(input_messages.template, variables);
  const path = input_messages!.item_reference;
  const found = lookUp(path, variables);
  if (isMessages(found)) return found;
  throw new RuleError("invalid_variable", `'${path}' is no list of messages with a role and a text each.`);
}

const roles = ["user", "assistant", "system", "developer"];

function isMessages(value: unknown): value is Message[] {
  const isMessage = (each: unknown) => {
    const { role, content } = (each ?? {}) as Record<string, unknown>;
    return roles.includes(String(role)) && typeof content === "string";
  };
  return Array.isArray(value) && value.length > 0 && value.every(isMessage);
}

/** As chat completions name them. */
function paramsOf(source: Asked): WritingParams {
  const { text, response_format, ...params } = (source.sampling_params ?? {}) as WritingParams & {
    text?: { format?: { type: string } };
  };
  const format = text?.format;
  if (format?.type !== "json_schema")
    return { ...params, ...((response_format ?? format) && formatOf(response_format ?? format)) };
  const { type, ...json_schema } = format;
  return { ...params, ...formatOf({ type, json_schema }) };
}

const formatOf = (format: unknown): WritingParams => ({ response_format: format as WritingParams["response_format"] });
