/** A folder as one gets it from OpenAI: a chat model tuned on real rows, its job, its eval, and what it was asked since. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { jsonl, type LabelledText } from "./trainingData.ts";

export const oldModel = "ft:gpt-4o-mini-2024-07-18:acme:intents:AbC12345";
const system = { role: "system", content: "Name the intent of the customer's question, and nothing else." };
const user = (text: string) => ({ role: "user", content: text });
const march = 1_772_323_200;

/** As a line of a supervised training file. */
export const chatRow = ({ text, label }: LabelledText) => ({
  messages: [system, user(text), { role: "assistant", content: label }],
});

export const oldJob = (changes: object = {}) => ({
  object: "fine_tuning.job",
  id: "ftjob-old1",
  model: "gpt-4o-mini-2024-07-18",
  created_at: march,
  finished_at: march + 900,
  fine_tuned_model: oldModel,
  organization_id: "org-old",
  result_files: ["file-results"],
  status: "succeeded",
  validation_file: null,
  training_file: "file-Train1",
  hyperparameters: { n_epochs: 3, batch_size: 1, learning_rate_multiplier: 1.8 },
  trained_tokens: 5768,
  error: null,
  user_provided_suffix: "intents",
  seed: 683058546,
  method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 3 } } },
  ...changes,
});

/** As `chat.completions.list` tells it; what was asked stands elsewhere. */
export const completion = (i: number, label: string, changes: object = {}) => ({
  object: "chat.completion",
  id: `chatcmpl-Old${i}`,
  model: oldModel,
  created: march + 1000 + i,
  request_id: `req_${i}`,
  tool_choice: null,
  usage: { total_tokens: 31, completion_tokens: 10, prompt_tokens: 21 },
  seed: 4944116822809979520n.toString(),
  top_p: 1,
  temperature: 0,
  system_fingerprint: "fp_50cad350e4",
  input_user: null,
  service_tier: "default",
  tools: null,
  metadata: { team: "support" },
  choices: [
    {
      index: 0,
      message: { content: label, role: "assistant", tool_calls: null },
      finish_reason: "stop",
      logprobs: null,
    },
  ],
  response_format: null,
  ...changes,
});

/** As items of `chat.completions.messages.list`. */
export const messagesOf = (i: number, text: string) =>
  [system, user(text)].map((message, place) => ({
    id: `chatcmpl-Old${i}-${place}`,
    ...message,
    name: null,
    content_parts: null,
  }));

export const oldEval = {
  object: "eval",
  id: "eval_old1",
  name: "Intents",
  created_at: march,
  data_source_config: {
    type: "custom",
    schema: {
      type: "object",
      properties: {
        item: { type: "object", properties: { text: { type: "string" }, label: { type: "string" } } },
        sample: { type: "object", properties: { output_text: { type: "string" } } },
      },
      required: ["item", "sample"],
    },
  },
  testing_criteria: [
    {
      name: "Right intent",
      id: "Right intent-2eaf2d8d",
      type: "string_check",
      input: "{{ sample.output_text }}",
      reference: "{{ item.label }}",
      operation: "eq",
    },
  ],
  metadata: { team: "support" },
};

export const oldRun = {
  object: "eval.run",
  id: "evalrun_old1",
  eval_id: "eval_old1",
  name: "September",
  model: oldModel,
  status: "completed",
  created_at: march,
  result_counts: { total: 50, errored: 0, failed: 4, passed: 46 },
};

export interface ExportRows {
  train: readonly LabelledText[];
  /** With the labels that the old model gave. */
  asked: readonly LabelledText[];
}

/** Names of files say nothing but for the training file's, which its job knows. */
export async function writeExport(folder: string, { train, asked }: ExportRows): Promise<void> {
  await mkdir(join(folder, "dashboard"), { recursive: true });
  const write = (name: string, content: unknown) =>
    writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  await write("file-Train1.jsonl", jsonl(train.map(chatRow)));
  await write("a.json", {
    object: "list",
    data: [oldJob(), oldJob({ id: "ftjob-old2", status: "failed", fine_tuned_model: null })],
    has_more: false,
  });
  await write("b.json", { data: asked.map(({ label }, i) => completion(i, label)) });
  await write("c.jsonl", jsonl(asked.flatMap(({ text }, i) => messagesOf(i, text))));
  await write("dashboard/d.json", oldEval);
  await write("dashboard/e.json", [oldRun]);
}
