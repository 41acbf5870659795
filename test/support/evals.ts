/** Evals for tests: asked for through the SDK, and worked on in this process. */
import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";
import { noSample } from "../../shared/evals/evaluate.ts";
import { newId } from "../../shared/ids.ts";
import type { EvalRunRecord } from "../../shared/schemas/evalRun.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { NewOutputItem } from "../../shared/stores/evalRuns.ts";
import { newLease } from "../../shared/stores/leasedRows.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Deployment, Tenant } from "./deployment.ts";
import type { Sdk } from "./sdks.ts";
import { workerContext, workOn } from "./workerTasks.ts";

type Criteria = OpenAI.EvalCreateParams["testing_criteria"];

/** The output is the item's label. */
export const rightLabel = {
  type: "string_check",
  name: "right",
  input: "{{sample.output_text}}",
  reference: "{{item.label}}",
  operation: "eq",
} as const;

export const itemSchema = {
  type: "object",
  properties: { text: { type: "string" }, label: { type: "string" }, lang: { type: "string" } },
  required: ["text"],
};

export function evalsOf(deployment: Deployment, host: ModelHost, Client: Sdk = OpenAI) {
  const client = new Client({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });
  const project_id = deployment.a.project.id;
  return {
    client,
    make: (testing_criteria: readonly object[] = [rightLabel], changes: object = {}) =>
      client.evals.create({
        data_source_config: { type: "custom", item_schema: itemSchema, include_sample_schema: true },
        testing_criteria: testing_criteria as Criteria,
        ...changes,
      }),
    /** As if the run's message had come. */
    work: ({ id }: { id: string }, shutdown?: AbortSignal) =>
      workOn(workerContext(deployment, host), "eval_run", { id, project_id }, shutdown),
    async upload(lines: readonly unknown[] | string): Promise<string> {
      const text = typeof lines === "string" ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      return (await client.files.create({ file: await toFile(Buffer.from(text), "items.jsonl"), purpose: "evals" })).id;
    },
  };
}

export const contentOf = (items: readonly object[], sample?: (item: never) => object) => ({
  type: "file_content" as const,
  content: items.map((item) => ({ item: { ...item }, ...(sample && { sample: { ...sample(item as never) } }) })),
});

/** A model is asked about each item's text. */
export const asking = (model: string, items: readonly object[], changes: object = {}) => ({
  type: "completions" as const,
  model,
  input_messages: { type: "template" as const, template: [{ role: "user" as const, content: "{{item.text}}" }] },
  source: contentOf(items),
  ...changes,
});

/** A completed run as a worker leaves it, an item a text: what was put out, and whether it passes. */
export async function addEvalRun(
  stores: Stores,
  { project }: Tenant,
  eval_id: string,
  outputs: readonly { item: Record<string, unknown>; output: string; status?: "pass" | "fail" | "error" }[],
): Promise<string> {
  const id = newId("eval_run");
  const named = { id, project_id: project.id };
  const lease = newLease(60);
  const source = { type: "jsonl" as const, source: contentOf(outputs.map(({ item }) => item)) };
  const count = (status: string) => outputs.filter((each) => each.status === status).length;
  const run: EvalRunRecord = {
    ...named,
    object: "eval.run",
    eval_id,
    name: id,
    status: "in_progress",
    model: "some-model",
    result_counts: { total: outputs.length, passed: count("pass"), failed: count("fail"), errored: count("error") },
    per_model_usage: [],
    per_testing_criteria_results: [],
    report_url: null,
    receipt: null,
    error: null,
    created_at: Math.floor(Date.now() / 1000),
    metadata: null,
    data_source: await stores.evalRuns.storeSource(named, source),
    lease,
    failures: 0,
    items_key: null,
    next_item: outputs.length,
  };
  await stores.evalRuns.create(run);
  const items = outputs.map(({ item, output, status = "pass" }, place): NewOutputItem => {
    const passed = status === "pass";
    const result = { name: "right", type: "string_check", score: passed ? 1 : 0, passed, sample: null, error: null };
    const sample = { ...noSample, output: [{ role: "assistant", content: output }] };
    const content = { datasource_item: item, sample, results: status === "error" ? [] : [result] };
    const { created_at } = run;
    const row = { project_id: project.id, run_id: id, eval_id, created_at, status, datasource_item_id: place };
    return { id: newId("eval_item"), ...row, content };
  });
  for (let from = 0; from < items.length; from += 50) {
    const part = await stores.evalRuns.prepare(items.slice(from, from + 50));
    assert.ok(await stores.evalRuns.recordItems(run, lease.attempt_id, {}, part));
  }
  assert.ok(await stores.evalRuns.transition(run, "completed", { changes: { lease: null } }));
  return id;
}
