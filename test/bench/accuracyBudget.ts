/** What a race and a single tuning take of time, and how many texts a second a starter base reads in one process. */

import { fileURLToPath } from "node:url";
import { shippedBases } from "../../infra/models/shipped.ts";
import { openEncoder } from "../../shared/engine/models/adaptedBase.ts";
import { type Device, startDevice } from "../../shared/engine/runtime/device.ts";
import { bar } from "./accuracyFull.ts";
import { type Accuracy, type Part, tune } from "./accuracyJobs.ts";
import { type DataSet, readDataSet, whereDataIsSought } from "./dataSets.ts";

const name = "banking77";
const seconds = { race: 300, tuning: 60 };
const textsPerSecond = 3000;
const threads = 2;
/** Rows of a call. */
const batch = 64;
/** About as many texts are read. */
const texts = 10_000;
/** Short texts of a base's own language, by how its name ends: a base reads others letter by letter. */
const shortTexts: Readonly<Record<string, string>> = { en: name, zh: "thucnews_titles" };

export const budget: Part = async (bench) => {
  const set = readDataSet(name);
  if (!set) return bench.tell(`${name}: left out, it is not in ${whereDataIsSought}`);
  await timed(bench, set, "millrace-auto", { case: "budget/auto-seconds", ...bar(seconds.race) });
  for (const id of shippedBases().filter((id) => id.includes("-embed-"))) {
    const directory = fileURLToPath(new URL(`../../shared/models/${id}`, import.meta.url));
    if (id.endsWith("-en")) await timed(bench, set, id, { case: "budget/lora-seconds", ...bar(seconds.tuning) });
    const own = readDataSet(shortTexts[id.slice(-2)]!);
    if (own) await throughput(bench, own, id, directory);
  }
};

type Told = { case: string; baseline: number; baseline_source: string };

async function timed({ client, emit, tell }: Accuracy, set: DataSet, model: string, told: Told): Promise<void> {
  const few = { ...set, test: [] };
  const { seconds: value } = await tune(client, few, { name, model, seed: 1, tell });
  emit({ value, unit: "seconds", ...told });
}

/** Of texts that are token ids already, in batches of like length, on a device process for each core, as the host has them. */
async function throughput({ emit }: Accuracy, { test }: DataSet, id: string, directory: string): Promise<void> {
  const { encode, adapter } = await openEncoder(directory);
  const asked = test.map(({ text }) => encode(text)).sort((a, b) => a.length - b.length);
  const rounds = Math.max(1, Math.round(texts / asked.length));
  const batches = Array.from({ length: Math.ceil(asked.length / batch) }, (_, i) =>
    asked.slice(i * batch, (i + 1) * batch),
  );
  const devices = Array.from({ length: threads }, () => startDevice({ threads: 1 }));
  const base = { directory, digest: id };
  const reading = { base, precision: "int8", parts: 1, adapter, adapterBytes: 2 ** 24 } as const;
  const readAll = async (waiting: (typeof batches)[number][]) => {
    const work = async (device: Device) => {
      for (let rows = waiting.pop(); rows; rows = waiting.pop()) {
        await device.call("read", { ...reading, rows: rows.map((ids) => ({ ids, model: null, wants: "vector" })) });
      }
    };
    await Promise.all(devices.map(work));
  };
  try {
    await readAll(batches.slice(0, 2 * threads));
    const start = performance.now();
    await readAll(Array.from({ length: rounds }, () => batches).flat());
    const value = (rounds * asked.length) / ((performance.now() - start) / 1000);
    emit({ case: `budget/${id}-texts`, value, unit: "per second", ...bar(textsPerSecond) });
  } finally {
    for (const device of devices) device.kill();
  }
}
