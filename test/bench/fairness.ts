/** How long a single job waits behind another project's thousand: `npm run bench -- fairness`. */
import { setTimeout as pause } from "node:timers/promises";
import { newId } from "../../shared/ids.ts";
import { createTenant, type Tenant } from "../support/deployment.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";
import type { Suite } from "./suite.ts";

const crowd = 1000;
const runs = 5;
/** More than workers come to in all runs. */
const mostTaken = 250;
/** On a machine that has more to do than it can, an answer may take longer than the API waits for its table. */
const patience = { maxRetries: 10 };

export interface Wait {
  /** From the answer to who asked until a worker had the job. */
  seconds: number;
  /** A job's mean length in that crowd. */
  length: number;
  /** Jobs of the crowd that workers took up meanwhile. */
  overtaken: number;
}

/**
 * A project with so many jobs that no worker comes to the end of them. One is asked for; the others are rows like its own
 * with a message each, as asking for them is not what is measured.
 */
export async function openCrowd(shop: Workshop, count: number): Promise<void> {
  const training_file = await upload(shop, shop.a);
  const { id } = await shop.client(patience).fineTuning.jobs.create({ model: "millrace-ngram", training_file });
  const row = await shop.job(id);
  const ask = async () => {
    const job = { ...row, id: newId("job") };
    await shop.stores.jobs.create(job, { level: "info", message: `Created fine-tuning job: ${job.id}` });
    await shop.queue.send("fine_tuning_job", job);
  };
  for (let asked = 1; asked < count; asked += 10) {
    await Promise.all(Array.from({ length: Math.min(10, count - asked) }, ask));
  }
}

async function upload(shop: Workshop, { key: apiKey }: Tenant): Promise<string> {
  const file = new File(
    [
      rowsOf(5)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(""),
    ],
    "rows.jsonl",
  );
  return (await shop.client({ apiKey, ...patience }).files.create({ file, purpose: "fine-tune" })).id;
}

/** Of a project that has none yet, while `workers` are at work on the crowd; each of them does `further` jobs behind it. */
export async function waitBehind(shop: Workshop, workers: number, name: string, further = 3): Promise<Wait> {
  const taken = async () => {
    // Reading without a pause would keep the cloud from the workers, and so would all rows: the oldest are taken first.
    await pause(200);
    const jobs = await shop.stores.jobs.oldest(shop.a.project.id, { limit: mostTaken });
    return jobs.filter(({ lease, finished_at }) => lease || finished_at);
  };
  const project = await createTenant(shop.stores, name);
  const training_file = await upload(shop, project);
  const before = await until(async () => (await taken()).length > workers && taken(), {
    what: "work on the crowd",
    seconds: 600,
  });
  const began = Date.now();
  const client = shop.client({ apiKey: project.key, ...patience });
  const { id } = await client.fineTuning.jobs.create({ model: "millrace-ngram", training_file });
  const asked = Date.now();
  const row = () => shop.stores.jobs.get(project.project.id, id);
  const isTaken = async () => (await row())?.lease || (await row())?.finished_at;
  await until(isTaken, { what: "the single job to begin", seconds: 600 });
  const seconds = (Date.now() - asked) / 1000;
  const overtaken = (await taken()).length - before.length;
  // Some more, so that their length is known.
  await until(async () => (await taken()).length >= before.length + further * workers, {
    what: "more of it",
    seconds: 600,
  });
  const length = ((Date.now() - began) / 1000 / ((await taken()).length - before.length + 1)) * workers;
  return { seconds, length, overtaken };
}

export const fairness: Suite = async ({ emit, tell, seeds = runs }) => {
  const shop = await openWorkshop();
  await openCrowd(shop, crowd);
  tell(`${crowd} jobs of one project wait`);
  for (const workers of [1, 2]) {
    const crew = await Promise.all(Array.from({ length: workers }, () => shop.work()));
    for (let run = 1; run <= seeds; run++) {
      const { seconds, length, overtaken } = await waitBehind(shop, workers, `single-${workers}-${run}`);
      const name = `${workers} ${workers > 1 ? "workers" : "worker"}/run ${run}`;
      tell(`${name}: ${overtaken} jobs of the crowd were taken up before the single one`);
      emit({ case: name, value: seconds, unit: "seconds", baseline: length, baseline_source: "a job's mean length" });
    }
    await Promise.all(crew.map((worker) => worker.end("SIGTERM")));
  }
  await shop.close();
  return "done";
};
