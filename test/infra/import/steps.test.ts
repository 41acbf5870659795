/** Steps of an import against what a deployment may answer: no evals, items it will not take, jobs it will not run. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import type { Calls } from "../../../infra/import/calls.ts";
import type { Recorded } from "../../../infra/import/conversations.ts";
import { importEvals } from "../../../infra/import/evals.ts";
import { exportOpenAi } from "../../../infra/import/exportOpenAi.ts";
import { fileOf } from "../../../infra/import/files.ts";
import { type Export, readExport } from "../../../infra/import/folder.ts";
import { importInferences } from "../../../infra/import/inferences.ts";
import { trainJobs } from "../../../infra/import/jobs.ts";
import { OpenAiEval, OpenAiEvalRun, OpenAiJob } from "../../../infra/import/openAiObjects.ts";
import { createTenant, type Deployment, deploy } from "../../support/deployment.ts";
import { chatRow, completion, oldEval, oldJob, oldModel, oldRun } from "../../support/openAiExport.ts";
import { jsonl, rowsOf } from "../../support/trainingData.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

const calls = (client: OpenAI): Calls => ({ client, signal: new AbortController().signal, progress() {} });
const definitions = { evals: [OpenAiEval.parse(oldEval)], evalRuns: [OpenAiEvalRun.parse(oldRun)] };

/** A deployment that answers so, and keeps what it was asked. */
function answering(answer: (method: string, path: string, body: unknown) => [status: number, body: object]) {
  const asked: { method: string; path: string; body: unknown }[] = [];
  const client = new OpenAI({
    apiKey: "sk",
    baseURL: "http://there/v1",
    maxRetries: 0,
    fetch: async (url, init) => {
      const body = init?.body ? JSON.parse(String(init.body)) : undefined;
      const [method, path] = [init?.method ?? "GET", new URL(String(url)).pathname];
      asked.push({ method, path, body });
      const [status, said] = answer(method, path, body);
      return Response.json(said, { status });
    },
  });
  return { client, asked };
}

test("a deployment without evals is told of, and runs there are history", async () => {
  const { client } = answering(() => [404, { error: { message: "Unknown", type: "x", code: "x", param: null } }]);
  const { outcomes, runs } = await importEvals(calls(client), definitions);
  assert.deepEqual(outcomes, [{ of: "eval_old1", id: null, state: "left", note: "this deployment has no /v1/evals" }]);
  assert.deepEqual([runs[0]!.id, runs[0]!.result_counts!.passed], ["evalrun_old1", 46]);
});

test("a definition is asked for as it once was, without what the server added, and by its old id only once", async () => {
  const made: { id: string; metadata: unknown }[] = [];
  const { client, asked } = answering((method, _path, body) => {
    if (method === "GET") return [200, { object: "list", data: made, has_more: false }];
    made.push({ id: "eval_new", metadata: (body as { metadata: unknown }).metadata });
    return [201, made[0]!];
  });
  const states = [];
  for (let i = 0; i < 2; i++) states.push((await importEvals(calls(client), definitions)).outcomes[0]!.state);
  assert.deepEqual(states, ["imported", "present"]);
  const { id: _, ...criterion } = oldEval.testing_criteria[0]!;
  assert.deepEqual(asked.find(({ method }) => method === "POST")!.body, {
    name: "Intents",
    data_source_config: {
      type: "custom",
      item_schema: oldEval.data_source_config.schema.properties.item,
      include_sample_schema: true,
    },
    testing_criteria: [criterion],
    metadata: { team: "support", openai_eval: "eval_old1" },
  });
});

test("a completion that the deployment refuses is named by its place, and the others of its portion are kept", async () => {
  const labels = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`k${i}`, "v"]));
  const recorded = Array.from({ length: 60 }, (_, i): Recorded => {
    const { id, model, created, ...output } = completion(i, "ham");
    const input = { messages: [{ role: "user", content: `text ${i}` }] };
    return {
      place: `c.jsonl:${i + 1}`,
      id,
      model,
      created_at: created,
      input,
      output,
      metadata: i === 7 ? labels : null,
    };
  });
  const first = await importInferences(calls(deployment.client()), recorded);
  assert.deepEqual([first.imported, first.present], [59, 0]);
  assert.deepEqual(
    first.problems.map(({ place }) => place),
    ["c.jsonl:8"],
  );
  const second = await importInferences(calls(deployment.client()), recorded);
  assert.deepEqual([second.imported, second.present], [0, 59]);
});

test("an export by the SDK is what an import reads: from one deployment to another project, and the same again", async () => {
  const { stores } = deployment;
  const [from, to] = [await createTenant(stores, "from"), await createTenant(stores, "to")];
  const [there, here] = [deployment.client({ apiKey: from.key }), deployment.client({ apiKey: to.key })];
  const content = jsonl(rowsOf(4).map(chatRow));
  const file = await there.files.create({ file: await toFile(Buffer.from(content), "a.jsonl"), purpose: "fine-tune" });
  const job = await there.fineTuning.jobs.create({ model: "millrace-ngram", training_file: file.id });
  const parts = [
    { type: "text", text: "two" },
    { type: "text", text: "parts" },
  ];
  const recorded = [completion(1, "ham"), completion(2, "spam")].map(
    ({ id, model, created, ...output }, i): Recorded => {
      const input = { messages: [{ role: "user", content: i ? parts : "one text" }] };
      return { place: id, id, model, created_at: created, input, output, metadata: null };
    },
  );
  await importInferences(calls(there), recorded);
  const folder = join(deployment.home, "exported");
  const said: string[] = [];
  for (let i = 0; i < 2; i++) await exportOpenAi(calls(there), folder, (line) => said.push(line));
  assert.ok(
    said.every((line) => line.startsWith("evals")),
    said.join(),
  );
  const found = await readExport(folder);
  assert.deepEqual(
    found.jobs.map(({ id }) => id),
    [job.id],
  );
  assert.equal(fileOf(file.id, found)?.content.toString(), content);
  const { imported } = await importInferences(calls(here), found.recorded);
  assert.equal(imported, 2);
  const [first, second] = (await here.chat.completions.list({ order: "asc" })).data;
  const messagesOf = async (id: string) => (await here.chat.completions.messages.list(id)).data[0]!;
  assert.equal((await messagesOf(first!.id)).content, "one text");
  assert.deepEqual((await messagesOf(second!.id)).content_parts, parts);
  assert.deepEqual([first!.created, first!.choices[0]!.message.content], [recorded[0]!.created_at, "ham"]);
});

test("jobs that cannot be taken over say why", async () => {
  const texts = { path: "file-Texts.jsonl", isClassification: false } as Export["trainingFiles"][number];
  const jobs = [
    oldJob({ id: "failed", status: "failed", fine_tuned_model: null }),
    oldJob({ id: "dpo", method: { type: "dpo" } }),
    oldJob({ id: "lost", training_file: "file-Lost" }),
    oldJob({ id: "texts", training_file: "file-Texts" }),
  ].map((job) => OpenAiJob.parse(job));
  const found = { jobs, trainingFiles: [texts], fileObjects: [] } as unknown as Export;
  const { outcomes, trained } = await trainJobs(calls(deployment.client()), found, {
    base: "millrace-ngram",
    files: new Map(),
  });
  assert.deepEqual(trained, []);
  const whys = [/there it failed/, /method is dpo/, /'file-Lost' is not in the folder/, /texts for answers/];
  for (const [i, why] of whys.entries()) assert.match(outcomes[i]!.note!, why);
  assert.equal(oldModel, jobs[1]!.fine_tuned_model);
});
