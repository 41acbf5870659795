/** A job on a table, from a file of rows to answers with their reasons: through the SDK, with workers that die. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type OpenAI from "openai";
import type { Decision } from "../../shared/schemas/decision.ts";
import type { JobRecord } from "../../shared/schemas/fineTuningJob.ts";
import { createModelHost, type ModelHost } from "../../shared/serving/host.ts";
import { sdks } from "../support/sdks.ts";
import { rowsOf } from "../support/trainingData.ts";
import { type JobRequest, openWorkshop, telling, type Workshop } from "../support/workshop.ts";

// The host needs the deployment's stores, and the deployment a host.
const host = {} as ModelHost;
let shop: Workshop;
let undisturbed: Record<"whole" | "small" | "texts" | keyof typeof misfits, JobRecord>;
before(async () => {
  shop = await openWorkshop({ host });
  Object.assign(host, createModelHost(shop.stores.objects, { threads: 1 }));
  undisturbed = await complete({
    whole: request,
    small: { model: "millrace-tabular", training: fewRows, epochs: 1 },
    texts: { training: rowsOf(30), epochs: 8 },
    ...misfits,
  });
});
after(async () => {
  await host.close();
  await shop.close();
});

/** Who leaves: those with a monthly contract that costs much, of whom a few have none on record. */
const rows = Array.from({ length: 300 }, (_, i) => {
  const [months, charge] = [(i * 29) % 72, 20 + ((i * 37) % 100)];
  const contract = ["monthly", "yearly", "monthly"][i % 3]!;
  const input = { months, charge, contract, paperless: i % 2 === 0, note: i % 7 ? null : "called", customer: `C-${i}` };
  return { input, label: contract === "monthly" && charge > 60 ? "leaves" : "stays" };
});
const columns = ["months", "charge", "contract", "paperless", "note", "customer"] as const;
const csv = [
  [...columns, "label"].join(","),
  ...rows.map(({ input, label }) => [...columns.map((name) => input[name] ?? ""), label].join(",")),
].join("\n");

/** Too few of any label to hold one out. */
const fewRows = rows.slice(0, 5).map(({ input, label }, i) => ({ input_json: input, label: i ? label : "else" }));

const request: JobRequest = { model: "millrace-tabular", training: csv, filename: "rows.csv", epochs: 16, batch: 16 };
const misfits = {
  tableForTexts: { training: rows } as JobRequest,
  textsForTable: { training: rowsOf(4), model: "millrace-tabular" },
  listInColumn: { training: [...rows, { input: { charge: [1] }, label: "stays" }], model: "millrace-tabular" },
};

const settings = { MILLRACE_CHECKPOINT_STEPS: "50", MILLRACE_SWEEP_SECONDS: "0.25" };

/** Jobs that nobody disturbs, all by one worker, to their end. */
async function complete<Name extends string>(requests: Record<Name, JobRequest>): Promise<Record<Name, JobRecord>> {
  const asked = Object.entries<JobRequest>(requests).map(
    async ([name, one]) => [name, await shop.submit(one)] as const,
  );
  const ids = await Promise.all(asked);
  const worker = await shop.work(settings);
  const jobs = ids.map(async ([name, id]) => [name, await shop.finished(id, 60)] as const);
  const done = await Promise.all(jobs);
  await worker.end("SIGTERM");
  return Object.fromEntries(done) as Record<Name, JobRecord>;
}

async function killAt(id: string, words: string): Promise<void> {
  const held = shop.gate.hold(telling(id, words));
  const worker = await shop.work(settings);
  await held;
  await worker.end("SIGKILL");
}

function decide(client: OpenAI, model: string, data: unknown, further: object = {}) {
  const questions = [
    { type: "choice", instructions: "Will they leave?", choices: [{ value: "leaves" }, { value: "stays" }] },
  ];
  const input = [{ role: "user", content: [{ type: "input_json", data }] }];
  return client.post("/decisions", { body: { model, input, questions, ...further } }) as Promise<Decision>;
}

test("a job on a table survives killed workers to the bit, and its model answers rows and says why", async () => {
  const reference = undisturbed.whole;
  const id = await shop.submit(request);
  await killAt(id, "Checkpoint created at step 100");
  assert.equal((await shop.job(id)).latest_checkpoint?.step, 50);
  const worker = await shop.work(settings);
  const job = await shop.finished(id, 60);
  await worker.end("SIGTERM");
  assert.deepEqual([reference.error, job.error], [null, null]);
  assert.equal(await shop.modelDigest(job), await shop.modelDigest(reference));
  assert.equal(job.trained_tokens, reference.trained_tokens);

  const model = job.fine_tuned_model!;
  const record = await shop.stores.models.get(shop.a.project.id, model);
  assert.deepEqual(
    new Map(record!.columns!.map(({ name, kind }) => [name, kind])),
    new Map<string, string>([
      ...[["charge", "number"] as const, ["contract", "category"] as const, ["customer", "category"] as const],
      ...[["months", "number"] as const, ["note", "category"] as const, ["paperless", "category"] as const],
    ]),
  );
  for (const Sdk of Object.values(sdks)) {
    const client = new Sdk({ apiKey: shop.a.key, baseURL: shop.baseURL, maxRetries: 0 }) as OpenAI;
    const asked = rows.slice(0, 40).map(async ({ input, label }, i) => {
      const { customer: _, ...known } = input;
      const { answers, usage } = await decide(client, model, i % 2 ? [known] : known);
      assert.equal(usage.input_tokens, input.note ? 5 : 4);
      return answers[0]?.type === "choice" && answers[0].choice === label;
    });
    const right = (await Promise.all(asked)).filter(Boolean).length;
    assert.ok(right >= 38, `${right} of 40 right`);

    const cheap = { contract: "monthly", charge: 22, months: 40 };
    const { answers } = await decide(client, model, cheap, { explain: true });
    assert.ok(answers[0]?.type === "choice");
    const { explanation, choice } = answers[0];
    assert.equal(choice, "stays");
    const sum = explanation!.columns!.reduce((total, { attribution }) => total + attribution, 0);
    assert.ok(Math.abs(sum - (explanation!.logit - explanation!.baseline_logit)) < 0.05);
    const strongest = explanation!.columns!.toSorted((a, b) => b.attribution - a.attribution)[0]!;
    assert.deepEqual([strongest.name, strongest.value], ["charge", "22"]);

    const nothing = await decide(client, model, { note: null }, { explain: true });
    assert.deepEqual(nothing.answers, [{ type: "refusal", name: null }]);
    await assert.rejects(
      decide(client, model, { charges: 1 }),
      (error: { status: number; param: string }) =>
        error.status === 400 && error.param === "input[0].content[0].data.charges",
    );
  }
});

test("rows and bases that do not fit each other fail the job by line, and so does a column that holds no plain value", () => {
  const messages: Record<keyof typeof misfits, RegExp> = {
    tableForTexts: /^training_file, line 1: The row has columns, and the base model reads texts\./,
    textsForTable: /^training_file, line 1: The row is no row of a table, and the base model/,
    listInColumn: /^training_file, line 301: A column does not hold one plain value\. \(column "charge" holds a list\)/,
  };
  for (const [name, message] of Object.entries(messages)) {
    const { status, error } = undisturbed[name as keyof typeof misfits];
    assert.deepEqual([status, error!.code, error!.param], ["failed", "invalid_training_file", "training_file"]);
    assert.match(error!.message, message);
  }
});

test("tables too small to hold anything out train too", async () => {
  const { fine_tuned_model, error } = undisturbed.small;
  assert.equal(error, null);
  const { answers } = await decide(shop.client(), fine_tuned_model!, rows[0]!.input, {
    questions: [{ type: "predicate", instructions: "else" }],
  });
  assert.equal(answers[0]!.type, "predicate");
});

test("models of texts say why: the words that decide, where they stand", async () => {
  const { fine_tuned_model: model } = undisturbed.texts;
  const input = "My Parcel and the courier are missing";
  const questions = [{ type: "predicate", instructions: "delivery" }];
  const answered = await shop.client().post("/decisions", { body: { model, input, questions, explain: true } });
  const [answer] = (answered as Decision).answers;
  assert.ok(answer?.type === "predicate" && answer.probability > 0.8);
  const { tokens, label } = answer.explanation!;
  assert.equal(label, "delivery");
  assert.deepEqual(
    tokens!.map(({ text }) => text),
    input.split(" "),
  );
  assert.ok(tokens!.every(({ text, start, end }) => input.slice(start, end) === text));
  const strong = tokens!.toSorted((a, b) => b.attribution - a.attribution).slice(0, 2);
  assert.deepEqual(new Set(strong.map(({ text }) => text)), new Set(["Parcel", "courier"]));
});
