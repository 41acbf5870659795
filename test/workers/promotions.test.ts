/** Turns of a function's policy by real workers: trained, judged and promoted, stopped, taken back, whoever dies on the way. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { toFile } from "openai";
import type { MillraceFunction } from "../../shared/schemas/function.ts";
import type { Policy } from "../../shared/schemas/policy.ts";
import type { Promotion } from "../../shared/schemas/promotion.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { jsonl } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import type { WorkerProcess } from "../support/workerProcess.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
let worker: WorkerProcess;
const sources = { start: "", more: "", poisoned: "" };

const words = {
  billing: "invoice refund charge",
  delivery: "parcel courier tracking",
  account: "password login email",
};
const labels = Object.keys(words) as (keyof typeof words)[];

/** Texts with little in common but a word of their label. */
function texts(from: number, count: number, labelOf = (label: string, _i: number) => label) {
  return Array.from({ length: count }, (_, k) => {
    const i = from + k;
    const label = labels[i % 3]!;
    const filler = Array.from({ length: 6 }, (_, j) => (((i * 6 + j + 1) * 2654435761) % 4294967296).toString(36));
    return { text: `${words[label].split(" ")[i % 3]} ${filler.join(" ")}`, label: labelOf(label, i) };
  });
}

const post = <Answer>(path: string, body?: object) => shop.client().post<Answer>(path, body && { body });
const get = <Answer>(path: string) => shop.client().get<Answer>(path);
const promotion = (id: string) => get<Promotion>(`/functions/intents/promotions/${id}`);
const incumbent = async () => (await get<MillraceFunction>("/functions/intents")).incumbent;

async function upload(rows: readonly unknown[]): Promise<string> {
  const file = await toFile(Buffer.from(jsonl(rows)), "rows.jsonl");
  return (await shop.client().files.create({ file, purpose: "fine-tune" })).id;
}

const over = ["promoted", "rejected", "rolled_back", "held"];
const settled = (id: string) =>
  until(
    async () => {
      const found = await promotion(id);
      return over.includes(found.status) && found;
    },
    { what: `${id} to be over`, seconds: 60 },
  );

const file = (file_id: string) => ({ type: "file", file_id });
const path = (states: Promotion) => states.history.map(({ to }) => to);

async function putPolicy(...files: string[]): Promise<Policy> {
  const body = {
    recipe: { dataset: "intents", sources: files.map(file), splits: { validation: 0.1, test: 0.3 } },
    test_set: { dataset: "intents", version: 1 },
    training: { model: "millrace-ngram", hyperparameters: { n_epochs: 3 }, seed: 1 },
    gate: { margin: 0.1 },
  };
  return shop.client().put<Policy>("/functions/intents/policy", { body });
}

before(async () => {
  shop = await openWorkshop({ host: fakeHost() });
  worker = await shop.work();
  sources.start = await upload(texts(0, 240));
  sources.more = await upload(texts(240, 120));
  sources.poisoned = await upload(
    texts(360, 120, (label, i) => (i % 10 < 3 ? labels[(labels.indexOf(label as never) + 1) % 3]! : label)),
  );
  const splits = { validation: 0.1, test: 0.3 };
  await post("/datasets/intents/versions", { sources: [file(sources.start)], splits });
  const version = await until(
    async () => {
      const found = await get<{ id: string; status: string }>("/datasets/intents/versions/1");
      return found.status === "ready" && found;
    },
    { what: "the first version" },
  );
  const { id } = await shop
    .client()
    .fineTuning.jobs.create({ model: "millrace-ngram", training_file: version.id, seed: 1 });
  const { fine_tuned_model } = await shop.finished(id);
  await post("/functions", { name: "intents", variants: [{ name: "first", model: fine_tuned_model }] });
});
after(() => shop.close());

test("a turn builds, checks, trains, judges and promotes once, though a worker is killed at every step; reverting is one call", async () => {
  await putPolicy(sources.start, sources.more);
  await worker.end("SIGKILL");
  const begun = await post<Promotion>("/functions/intents/turn");
  assert.equal(begun.status, "collecting");
  await assert.rejects(post("/functions/intents/turn"), /is collecting/);
  for (const to of ["checking_data", "training", "judging", "promoted"]) {
    const moves = ({ body }: { body: string }) => body.includes(begun.id) && body.includes(`{"S":"${to}"}`);
    const held = shop.gate.hold((request) => request.body.includes("TransactItems") && moves(request));
    worker = await shop.work();
    await held;
    await worker.end("SIGKILL");
  }
  worker = await shop.work();
  const done = await settled(begun.id);
  assert.deepEqual(
    path(done),
    ["collecting", "checking_data", "training", "judging", "promoted"],
    done.history.at(-1)!.reason,
  );
  assert.ok(done.data!.passed && done.data!.items > 50, "the new rows were looked at");
  assert.ok(done.offline!.passed && done.offline!.frozen.items > 40);
  assert.equal(await incumbent(), "turn-1");
  const jobs = await shop.stores.jobs.list(shop.a.project.id, { limit: 100, metadata: { promotion: begun.id } });
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [done.fine_tuning_job],
    "one job, however often it was asked for",
  );
  assert.equal((await shop.stores.datasets.get(shop.a.project.id, "intents"))!.latest_version, 2);

  const reverted = await post<Promotion>(`/functions/intents/promotions/${begun.id}/revert?reason=Users+complain`);
  assert.equal(reverted.status, "rolled_back");
  assert.equal(reverted.history.at(-1)!.reason, "Users complain");
  assert.equal(await incumbent(), "first");
  await assert.rejects(post(`/functions/intents/promotions/${begun.id}/force`), /cannot take 'force'/);
});

test("flipped labels are stopped before anything is trained, and their candidate by the gate when a human insists", async () => {
  await putPolicy(sources.start, sources.more, sources.poisoned);
  const begun = await post<Promotion>("/functions/intents/turn");
  const stopped = await settled(begun.id);
  assert.deepEqual(path(stopped), ["collecting", "checking_data", "rejected"]);
  assert.ok(stopped.data!.now < stopped.data!.before - 0.1, "many of the new labels disagree");
  assert.match(stopped.history.at(-1)!.reason, /disagree/);
  assert.equal(await shop.stores.jobs.get(shop.a.project.id, stopped.fine_tuning_job), undefined);
  assert.equal(await incumbent(), "first");

  const forced = await post<Promotion>(`/functions/intents/promotions/${begun.id}/force`);
  assert.equal(forced.status, "training");
  const held = await post<Promotion>(`/functions/intents/promotions/${begun.id}/hold?reason=Wait`);
  assert.deepEqual([held.status, held.step], ["held", "training"]);
  assert.equal((await post<Promotion>(`/functions/intents/promotions/${begun.id}/resume`)).status, "training");
  const judged = await settled(begun.id);
  assert.equal(judged.history.at(-2)!.to, "judging", "the figures of its gate are there");
  assert.ok(judged.offline);
  const { data } = await get<{ data: Promotion[] }>("/functions/intents/promotions");
  assert.deepEqual(
    data.map(({ turn }) => turn),
    [2, 1],
    "newest first",
  );
});

test("what a policy names must be there, and a stranger sees none of it", async () => {
  const body = {
    recipe: { dataset: "intents", sources: [file(sources.start)] },
    test_set: { dataset: "intents", version: 99 },
    training: { model: "millrace-ngram" },
  };
  const put = (more: object) => shop.client().put("/functions/intents/policy", { body: { ...body, ...more } });
  await assert.rejects(put({}), /Version 99 of dataset 'intents'/);
  const test_set = { dataset: "intents", version: 1 };
  await assert.rejects(put({ test_set, training: { model: "ft:none" } }), /no base model/);
  await assert.rejects(put({ test_set, metric_name: "unheard" }), /no declared boolean metric/);
  await assert.rejects(put({ test_set, canary: { shares: [0.1] } }), /name one/);
  await assert.rejects(put({ test_set, recipe: { dataset: "intents", sources: [file("file-0")] } }), /No such file/);
  const strange = await shop.fetch("/v1/functions/intents/policy", { key: shop.keys.b });
  assert.equal(strange.status, 404);
});
