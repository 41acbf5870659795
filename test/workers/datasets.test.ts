/** Dataset versions, from files to a job that learns from one: built by workers, whoever dies on the way. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toFile } from "openai";
import type { DatasetRow } from "../../shared/datasets/row.ts";
import type { DatasetDiff, DatasetVersion } from "../../shared/schemas/dataset.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addModel } from "../support/records.ts";
import { jsonl, type LabelledText, rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop({ host: fakeHost() });
  await shop.work();
});
after(() => shop.close());

async function upload(rows: readonly unknown[]): Promise<string> {
  const file = await toFile(Buffer.from(jsonl(rows)), "rows.jsonl");
  return (await shop.client().files.create({ file, purpose: "fine-tune" })).id;
}

const get = <Answer>(path: string) => shop.client().get<Answer>(path);

async function build(name: string, sources: readonly object[], splits?: object): Promise<DatasetVersion> {
  const body = { sources, ...(splits && { splits }) };
  const { version } = await shop.client().post<DatasetVersion>(`/datasets/${name}/versions`, { body });
  return until(
    async () => {
      const found = await get<DatasetVersion>(`/datasets/${name}/versions/${version}`);
      return found.status !== "building" && found;
    },
    { what: `version ${version} of ${name}`, seconds: 30 },
  );
}

async function rowsIn({ dataset, version }: DatasetVersion): Promise<DatasetRow[]> {
  const response = await shop.fetch(`/v1/datasets/${dataset}/versions/${version}/content`);
  return (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as DatasetRow);
}

const file = (file_id: string) => ({ type: "file", file_id });
/** Ten of each label, of a subject each. */
const rows = rowsOf(100).map((row, i): LabelledText & { subject: string } => ({ ...row, subject: `person ${i % 60}` }));

test("versions keep every row's origin and split, correct labels, and tell what changed", async () => {
  const first = await upload(rows.slice(0, 200));
  const one = await build("intents", [file(first)], { validation: 0.2, test: 0.2 });
  assert.equal(one.status, "ready", JSON.stringify(one.error));
  const before = await rowsIn(one);
  assert.deepEqual(before[0]!.origins, [{ type: "file", file_id: first, line: 1 }]);

  const corrected = { ...rows[7]!, label: "other" };
  const two = await build("intents", [
    { type: "dataset", dataset: "intents", version: 1 },
    file(await upload([corrected, ...rows.slice(200)])),
  ]);
  assert.deepEqual([two.version, two.parent, two.report!.relabelled], [2, 1, 1]);
  const after = new Map((await rowsIn(two)).map((row) => [row.id, row]));
  for (const row of before) assert.equal(after.get(row.id)!.split, row.split, "a row stays where it was");
  const diff = await get<DatasetDiff>("/datasets/intents/versions/2/diff");
  assert.deepEqual([diff.from, diff.to, diff.removed, diff.relabelled], [1, 2, 0, 1]);
  assert.equal(diff.added, after.size - before.length);
  const change = diff.changes.find(({ change }) => change === "relabelled")!;
  assert.deepEqual([change.text, change.from, change.to], [rows[7]!.text, rows[7]!.label, "other"]);

  for (const subject of new Set(rows.map(({ subject }) => subject))) {
    const sides = new Set(
      [...after.values()].filter(({ subjects }) => subjects.includes(subject)).map(({ split }) => split),
    );
    assert.ok(sides.size <= 1, `${subject} is in ${[...sides].join(" and ")}`);
  }
});

test("what models were asked becomes rows where feedback says what is right, an episode's rows on one side", async () => {
  const client = shop.client();
  await client.post(`/organization/projects/${shop.a.project.id}`, { body: { inference_records: "full" } });
  const { id: model } = await addModel(shop.stores, shop.a);
  const questions = [{ type: "choice" as const, instructions: "?", choices: [{ value: "ham" }, { value: "spam" }] }];
  const headers: Record<string, string> = { "x-millrace-episode": "new" };
  const ask = async (input: string) => {
    const { response } = await client.decisions.create({ model, input, questions }, { headers }).withResponse();
    headers["x-millrace-episode"] = response.headers.get("x-millrace-episode")!;
    return response.headers.get("x-request-id")!;
  };
  await client.post("/metrics", { body: { name: "solved", type: "boolean", level: "inference", optimize: "max" } });
  const judge = (inference_id: string, metric_name: string, value: unknown) =>
    client.post("/feedback", { body: { inference_id, metric_name, value } });
  const [approved, rejected, corrected] = [
    await ask("all spam here"),
    await ask("much spam too"),
    await ask("spam again"),
  ];
  await ask("nobody said anything of this spam");
  await judge(approved, "solved", true);
  await judge(rejected, "solved", false);
  await judge(corrected, "solved", true);
  await judge(corrected, "demonstration", "ham");

  const said = async (name: string, source: object) => {
    const version = await build(name, [{ type: "inferences", model, ...source }]);
    assert.equal(version.status, "ready", JSON.stringify(version.error));
    return rowsIn(version);
  };
  const both = await said("judged", { approved_by: "solved" });
  const labels = both.map(({ text, label, origins }) => [
    text,
    label,
    origins.map((origin) => "inference_id" in origin && origin.inference_id),
  ]);
  assert.deepEqual(labels.sort(), [
    ["all spam here", "spam", [approved]],
    ["spam again", "ham", [corrected]],
  ]);
  assert.equal(new Set(both.map(({ split }) => split)).size, 1);
  assert.deepEqual(
    (await said("shown", {})).map(({ text }) => text),
    ["spam again"],
  );
  const stranger = await shop
    .client({ apiKey: shop.keys.b })
    .post<DatasetVersion>("/datasets/theirs/versions", { body: { sources: [{ type: "inferences", model }] } });
  const ended = await until(
    async () => {
      const row = (await shop.stores.datasets.versions.get(shop.b.project.id, stranger.id))!;
      return row.status !== "building" && row;
    },
    { what: "a stranger's version", seconds: 30 },
  );
  assert.equal(ended.error?.code, "empty_dataset");
});

test("the same sources make the same content, and ten versions asked for at once have ten numbers", async () => {
  const id = await upload(rows.slice(0, 30));
  const versions = await Promise.all(Array.from({ length: 10 }, () => build("raced", [file(id)])));
  assert.deepEqual(
    versions.map(({ version }) => version).sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.equal(new Set(versions.map(({ digest }) => digest)).size, 1);
});

test("a job learns from a version's training rows and is judged by its validation rows", async () => {
  const version = await build("taught", [file(await upload(rowsOf(60)))], { validation: 0.3 });
  const job = await shop
    .client()
    .fineTuning.jobs.create({ model: "millrace-ngram", training_file: version.id, seed: 1 });
  const done = await shop.finished(job.id);
  assert.equal(done.status, "succeeded", JSON.stringify(done.error));
  assert.ok((await shop.events(job.id)).some(({ message }) => /validation loss/.test(message)));
  await assert.rejects(
    Promise.resolve(
      shop.client().fineTuning.jobs.create({
        model: "millrace-ngram",
        training_file: version.id,
        validation_file: await upload(rows),
      }),
    ),
    { param: "validation_file" },
  );
});

test("what cannot be built fails with what is wrong and where, and is no training file", async () => {
  const bad = await build("bad", [file(await upload([{ text: "a", label: "x" }, { text: "b" }]))]);
  assert.deepEqual([bad.status, bad.error?.code], ["failed", "invalid_source"]);
  assert.match(bad.error!.message, /^sources\[0\], line 2: The row has no label/);
  const refused = (body: object, param: string, name = "bad") =>
    assert.rejects(Promise.resolve(shop.client().post(`/datasets/${name}/versions`, { body })), { status: 400, param });
  await refused({ sources: [{ type: "dataset", dataset: "bad", version: 1 }] }, "sources[0]");
  await refused({ sources: [file("file-none")] }, "sources[0].file_id");
  await refused({ sources: [] }, "sources");
  await refused({ sources: [file(await upload(rows))] }, "name", "Not%20a%20name");
  const job = { model: "millrace-ngram", training_file: bad.id };
  await assert.rejects(Promise.resolve(shop.client().fineTuning.jobs.create(job)), { param: "training_file" });
});
