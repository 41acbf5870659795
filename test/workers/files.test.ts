/** What a file may hold, and what is said about it when it cannot be learnt from. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { rowsOf } from "../support/trainingData.ts";
import { type JobRequest, openWorkshop, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
  await Promise.all([shop.work(), shop.work()]);
});
after(() => shop.close());

async function run(request: JobRequest) {
  const id = await shop.submit({ epochs: 1, ...request });
  return { id, job: await shop.finished(id, 60), events: () => shop.events(id) };
}

test("every bad line is told with number, code and fix: the first fifty of them in error.message", async () => {
  const bad = Array.from({ length: 55 }, (_, i) => (i % 2 ? '{"text": "no label"}' : "not json"));
  const { job, events } = await run({ training: ['{"text": "a", "label": "x"}', ...bad].join("\r\n") });
  assert.equal(job.status, "failed");
  assert.equal(job.error!.code, "invalid_training_file");
  assert.equal(job.error!.param, "training_file");
  const lines = job.error!.message.split("\n");
  assert.equal(lines.length, 51);
  assert.match(lines[0]!, /^training_file, line 2: The line is not a JSON object\. Write one object a line/);
  assert.equal(lines[50], "The first 50 of 55 errors are listed.");
  const told = (await events()).filter(({ data }) => data?.line);
  assert.deepEqual(
    told.map(({ data, level }) => [level, data!.line, data!.code]),
    bad.slice(0, 50).map((_, i) => ["error", i + 2, i % 2 ? "missing_label" : "invalid_json"]),
  );
  assert.ok(told.every(({ data }) => typeof data!.fix === "string"));
  assert.equal(job.failures, 0, "not tried again");
});

test("files that cannot be learnt from fail at once, each with its own code", async () => {
  const good = rowsOf(4);
  const cases: Record<string, JobRequest> = {
    single_label: { training: good.map((row) => ({ ...row, label: "one" })) },
    empty_file: { training: "\n\n" },
    invalid_encoding: { training: Buffer.concat([Buffer.from('{"text": "a", "label": "x"}\n'), Buffer.from([0xff])]) },
    unknown_label: { training: good, validation: [{ text: "a", label: "never seen" }] },
    missing_label: { training: "text,category\na,b\n", filename: "train.csv" },
    invalid_csv: { training: 'text,label\n"never closed,x\n', filename: "train.csv" },
    label_too_long: { training: [...good, { text: "a", label: "x".repeat(1001) }] },
  };
  const outcomes = await Promise.all(
    Object.values(cases).map(async (request) => {
      const { job, events } = await run(request);
      const codes = (await events()).map(({ data }) => data?.code);
      return [job.status, job.error?.param, codes.find((code) => code && code !== job.error?.code)];
    }),
  );
  assert.deepEqual(
    outcomes,
    Object.entries(cases).map(([code, { validation }]) => [
      "failed",
      validation ? "validation_file" : "training_file",
      code,
    ]),
  );
});

test("a file deleted before a worker read it fails the job and names the file", async () => {
  const held = shop.gate.hold(({ body }) => body.includes("#file") && body.includes("ConsistentRead"));
  const id = await shop.submit({ training: rowsOf(4) });
  const { training_file } = await shop.job(id);
  const request = await held;
  await shop.client().files.delete(training_file);
  request.release();
  const job = await shop.finished(id);
  const message = `The training_file ${training_file} was deleted before it was read.`;
  assert.deepEqual(job.error, { code: "file_deleted", message, param: "training_file" });
});

test("small, many-labelled, long and foreign files all train", async () => {
  const quoted = rowsOf(4).map(({ text, label }, i) => `"${text}, ""${i}""\r\nand more",${label}`);
  const chat = rowsOf(4).map(({ text, label }) => ({
    messages: [
      { role: "system", content: "Sort." },
      { role: "user", content: [{ type: "text", text }] },
      { role: "assistant", content: label },
    ],
  }));
  const requests: Record<string, JobRequest> = {
    "three rows": { training: rowsOf(1) },
    "no label with four rows": { training: rowsOf(3) },
    "labels of any script": {
      training: ["да", "否", "نعم", "🙂", "👩‍👩‍👧", "__proto__", "constructor"].flatMap((label, i) => [
        { text: `first ${label}`, label },
        { text: `second ${i}`, label },
      ]),
    },
    "300 labels": { training: Array.from({ length: 900 }, (_, i) => ({ text: `row ${i}`, label: `l${i % 300}` })) },
    "100 kB of text": { training: [...rowsOf(2), { text: "word ".repeat(20_000), label: "long" }] },
    "CSV with a byte order mark": { training: `\ufefftext,label\r\n${quoted.join("\r\n")}`, filename: "a.csv" },
    TSV: {
      training: `label\ttext\n${rowsOf(4)
        .map((row) => `${row.label}\t${row.text}`)
        .join("\n")}`,
      filename: "a.tsv",
    },
    chat: { training: chat },
    "a validation file": { training: rowsOf(4), validation: rowsOf(2) },
  };
  const outcomes = await Promise.all(
    Object.entries(requests).map(async ([name, request]) => {
      const { job } = await run(request);
      return [name, job.status, job.error?.message];
    }),
  );
  assert.deepEqual(
    outcomes,
    Object.keys(requests).map((name) => [name, "succeeded", undefined]),
  );
});

test("arbitrary bytes and arbitrary rows end in succeeded or in failed with a clear error, and workers live on", async () => {
  const row = fc.record({ text: fc.string({ unit: "binary", minLength: 1 }), label: fc.string({ unit: "grapheme" }) });
  const content = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(row, { minLength: 2, maxLength: 20 }).map((rows) => rows.map((each) => JSON.stringify(each)).join("\n")),
  );
  const files = fc.sample(fc.record({ content, filename: fc.constantFrom("a.jsonl", "a.csv", "a.tsv") }), {
    numRuns: 12,
    seed: 1,
  });
  const jobs = await Promise.all(files.map(({ content: training, filename }) => run({ training, filename })));
  for (const { job } of jobs) {
    if (job.status === "succeeded") continue;
    assert.equal(job.error?.code, "invalid_training_file");
    assert.match(job.error.message, /^training_file/);
  }
});

test("events and the result file tell how the training went", async () => {
  const { job, events } = await run({ training: rowsOf(40), epochs: 3, batch: 8 });
  const listed = await shop.client().fineTuning.jobs.listEvents(job.id, { limit: 100 });
  assert.deepEqual(
    listed.data.map(({ id }) => id),
    (await events()).map(({ id }) => id).reverse(),
    "newest first",
  );
  const metrics = (await events()).filter(({ type }) => type === "metrics").map(({ data }) => data!);
  assert.ok(metrics.every(({ step, train_loss }) => Number.isInteger(step) && Number(train_loss) > 0));
  const judged = metrics.filter(({ valid_loss }) => valid_loss !== undefined);
  assert.ok(judged.length > 0);
  assert.deepEqual(
    judged.map(({ step, accuracy, macro_f1 }) => [step, typeof accuracy, typeof macro_f1]),
    judged.map((_, i) => [14 * (i + 1), "number", "number"]),
    "after each pass over 108 rows",
  );
  const csv = await (await shop.client().files.content(job.result_files[0]!)).text();
  const [header, ...rows] = csv
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  assert.deepEqual(header, ["step", "train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "valid_macro_f1"]);
  assert.deepEqual(
    rows.map(([step]) => Number(step)),
    Array.from({ length: metrics[0]!.total_steps as number }, (_, i) => i + 1),
  );
  for (const { step, valid_loss } of judged) assert.equal(Number(rows[(step as number) - 1]![3]), valid_loss);
  assert.ok(job.trained_tokens! > 0);
});

test("held-out rows are learned from in the end and the job says when; rows given for validation never are", async () => {
  const held = await run({ training: rowsOf(30) });
  const given = await run({ training: rowsOf(30), validation: rowsOf(4) });
  const told = async ({ events }: typeof held) => (await events()).map(({ message }) => message);
  const refit = (message: string) => message.startsWith("Held-out rows judged");
  assert.deepEqual((await told(held)).filter(refit), [
    "Held-out rows judged; learning the model to keep afresh from all 90 rows",
  ]);
  const judged = (await told(held)).findLastIndex((message) => message.includes("validation loss"));
  assert.ok(judged >= 0 && judged < (await told(held)).findIndex(refit));
  assert.deepEqual((await told(given)).filter(refit), []);
});
