/** What a customer may say to a deployment, each with the call that says it again. */
import assert from "node:assert/strict";
import type OpenAI from "openai";
import type { Tasks } from "../../workers/task.ts";

/** In all that is planted. */
export const marker = "Zyzzyva7Marker";

export interface Garden {
  client: OpenAI;
  /** There is another of the same name and `-heavy`, for which workers answer. */
  model: string;
  /** An address of this machine. */
  hook: string;
  get(path: string): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: what the answer is each planting knows.
  post(path: string, body?: object, key?: string): Promise<any>;
  upload(lines: readonly unknown[] | string, purpose?: "fine-tune" | "batch"): Promise<string>;
  work(kind: keyof Tasks, id: string): Promise<unknown>;
  /** What webhooks are to be told. */
  events(): Promise<string[]>;
}

/** Its answer has the marker. `then` is what it is without the organization's key: refused, or told without what was said. */
type Planting = (garden: Garden) => Promise<[read: () => Promise<unknown>, then?: "refused" | "told"]>;

const says = (text: string) => `${text} ${marker}`;
const labelled = Array.from({ length: 12 }, (_, i) => {
  return { text: says(`spam number ${i}`), label: i % 2 ? "ham" : `spam${marker}` };
});
const ask = ({ client, model }: Garden) =>
  client.chat.completions.create({
    ...{ model, store: true, metadata: { team: marker } },
    messages: [{ role: "user", content: says("spam") }],
  });
const choices = [{ value: "ham" }, { value: "spam" }];
const questions = [{ type: "choice" as const, instructions: says("?"), choices }];
const idOf = (completion: { id: string }) => completion.id.replace("chatcmpl-", "req_");
const datasetOf = async (garden: Garden, name: string, lines: readonly unknown[] = labelled): Promise<string> => {
  const sources = [{ type: "file", file_id: await garden.upload(lines) }];
  const { id } = await garden.post(`/datasets/${name}/versions`, { sources });
  await garden.work("dataset_version", id);
  return `/datasets/${name}/versions/1`;
};
const criterion = { type: "string_check", name: "x", input: "{{item.text}}", reference: marker, operation: "like" };

export const plantings: Record<string, Planting> = {
  async "a stored completion"(garden) {
    const { id } = await ask(garden);
    return [() => garden.client.chat.completions.retrieve(id)];
  },
  async "a recorded decision"(garden) {
    const asked = garden.client.decisions.create({ model: garden.model, input: says("spam"), questions });
    const id = (await asked.withResponse()).response.headers.get("x-request-id");
    return [() => garden.get(`/inferences/${id}`)];
  },
  async "what is too long for a row"(garden) {
    const asked = garden.client.decisions.create({ model: garden.model, input: says("spam ").repeat(4000), questions });
    const id = (await asked.withResponse()).response.headers.get("x-request-id");
    return [() => garden.get(`/inferences/${id}`)];
  },
  async "comments, demonstrations and values"(garden) {
    const inference_id = idOf(await ask(garden));
    await garden.post("/metrics", { name: "solved", type: "boolean", level: "inference", optimize: "max" });
    for (const [metric_name, value] of Object.entries({ comment: says("good"), demonstration: marker, solved: true })) {
      await garden.post("/feedback", { inference_id, metric_name, value });
    }
    return [() => garden.get(`/inferences/${inference_id}`)];
  },
  async "an answer kept for who asks again"(garden) {
    const body = { name: "kept", description: marker, type: "boolean", level: "inference", optimize: "max" };
    await garden.post("/metrics", body, "the-key");
    return [() => garden.post("/metrics", body, "the-key")];
  },
  async "a response"(garden) {
    const asked = garden.client.responses.create({ model: garden.model, input: says("spam") });
    const id = (await asked.withResponse()).response.headers.get("x-request-id");
    return [() => garden.get(`/inferences/${id}`)];
  },
  async "what a worker answers"(garden) {
    const body = { model: `${garden.model}-heavy`, input: says("spam"), questions };
    const { id } = await garden.post("/decisions", body);
    await garden.work("answer", id);
    const { request_id } = (await garden.get(`/answers/${id}`)) as { request_id: string };
    return [() => garden.get(`/inferences/${request_id}`)];
  },
  async "a metric's description"(garden) {
    await garden.post("/metrics", {
      ...{ name: "described", description: marker, type: "boolean", level: "inference", optimize: "max" },
    });
    return [() => garden.get("/metrics/described"), "told"];
  },
  async "a file's name"(garden) {
    const id = await garden.upload(labelled);
    return [() => garden.client.files.retrieve(id), "told"];
  },
  async "a job's labels, and why it failed"(garden) {
    const training_file = await garden.upload([{ text: "", label: marker }, ...labelled, { text: marker }]);
    const job = await garden.client.fineTuning.jobs.create({
      ...{ model: "millrace-ngram", training_file, metadata: { team: marker } },
    });
    await garden.work("fine_tuning_job", job.id);
    const failed = await garden.client.fineTuning.jobs.retrieve(job.id);
    assert.equal(failed.status, "failed");
    const { data } = await garden.client.fineTuning.jobs.listEvents(job.id);
    assert.ok(data.length > 1);
    return [() => garden.client.fineTuning.jobs.retrieve(job.id), "told"];
  },
  async "labels of a dataset"(garden) {
    const path = await datasetOf(garden, "planted");
    return [() => garden.get(path), "told"];
  },
  async "why a dataset was not built"(garden) {
    const path = await datasetOf(garden, "faulty", [{ text: 1, label: marker }, { [marker]: marker }]);
    const { error } = (await garden.get(path)) as { error: object | null };
    assert.ok(error);
    return [async () => [marker, await garden.get(path)], "told"];
  },
  async "rows to label, and what labellers say"(garden) {
    await datasetOf(garden, "queued");
    const source = { type: "dataset", dataset: "queued", version: 1 };
    const labels = ["ham", `spam${marker}`];
    const { id } = await garden.post("/label_queues", { source, strategy: "uncertainty", labels });
    await garden.work("label_queue", id);
    const { data } = (await garden.get(`/label_queue?queue_id=${id}&labeller=ann`)) as { data: { id: string }[] };
    await garden.post("/labels", { item_id: data[0]!.id, labeller: "ann", label: labels[1] });
    return [() => garden.get(`/label_queues/${id}/items`)];
  },
  async "what the label doctor found"(garden) {
    const path = `${await datasetOf(garden, "doctored", [...labelled, { text: says("spam number 2"), label: "ham" }])}/doctor`;
    await garden.work("label_doctor", (await garden.post(path)).id);
    return [async () => [marker, await garden.get(path)]];
  },
  async "an eval"(garden) {
    const schema = { type: "object", properties: { text: { type: "string" } } };
    const config = { type: "custom", item_schema: schema };
    const made = await garden.post("/evals", {
      data_source_config: config,
      testing_criteria: [criterion],
      name: marker,
    });
    const source = { type: "file_content", content: [{ item: { text: says("x") } }] };
    const run = await garden.post(`/evals/${made.id}/runs`, { data_source: { type: "jsonl", source }, name: marker });
    await garden.work("eval_run", run.id);
    const items = `/evals/${made.id}/runs/${run.id}/output_items`;
    return [async () => [await garden.get(`/evals/${made.id}`), await garden.get(items)]];
  },
  async "a batch that is none"(garden) {
    const input_file_id = await garden.upload(`{"custom_id": "${marker}"`, "batch");
    const batch = await garden.client.batches.create({
      ...{ input_file_id, endpoint: "/v1/embeddings", completion_window: "24h", metadata: { team: marker } },
    });
    await garden.work("batch", batch.id);
    return [() => garden.client.batches.retrieve(batch.id), "told"];
  },
  async "a function's instructions"(garden) {
    const variants = [{ name: "first", model: garden.model, parameters: { instructions: says("Be kind.") } }];
    await garden.post("/functions", { name: "planted", description: marker, variants });
    return [() => garden.get("/functions/planted")];
  },
  async "why an alias was moved"(garden) {
    await garden.post("/aliases", { name: "planted", model: "millrace-ngram", reason: marker });
    return [() => garden.get("/aliases/planted/moves"), "told"];
  },
  async "what an experiment is for, and why it ended"(garden) {
    const variants = ["old", "new"].map((name) => ({ name, model: garden.model }));
    await garden.post("/functions", { name: "compared", variants });
    await garden.post("/metrics", { name: "bought", type: "boolean", level: "inference", optimize: "max" });
    const experiment = {
      ...{ function: "compared", description: marker, metric_name: "bought", method: { type: "fixed" }, horizon: 200 },
      arms: variants.map(({ name }) => ({ variant: name })),
    };
    const { id } = await garden.post("/experiments", experiment);
    await garden.post(`/experiments/${id}/end`, { reason: marker });
    return [() => garden.get(`/experiments/${id}`), "told"];
  },
  async "where webhooks go"(garden) {
    const type = "fine_tuning.job.failed";
    const { id } = await garden.post("/webhook_endpoints", { name: "n", url: garden.hook, event_types: [type] });
    const training_file = await garden.upload([{ text: marker }]);
    const job = await garden.client.fineTuning.jobs.create({ model: "millrace-ngram", training_file });
    await garden.work("fine_tuning_job", job.id);
    for (const event of await garden.events()) await garden.work("webhook_event", event);
    const { data } = (await garden.get(`/webhook_endpoints/${id}/deliveries`)) as { data: unknown[] };
    assert.ok(data.length);
    return [async () => [marker, data], "told"];
  },
};
