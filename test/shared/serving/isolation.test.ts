/** Two projects flood one device with their own models, which are loaded, thrown out and retrained: nobody gets another's answer. */
import assert from "node:assert/strict";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importBase } from "../../../infra/models/importBase.ts";
import { mixSeeds } from "../../../shared/engine/random.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { createModelHost, type ModelHost } from "../../../shared/serving/host.ts";
import { type Cloud, openCloud } from "../../support/deployment.ts";
import { writeTinyBase } from "../../support/tinyBase.ts";
import { rowsOf } from "../../support/trainingData.ts";
import { randomModels } from "../../support/tunedModels.ts";

const answersWanted = 100_000;
const textsPerRequest = 10;
const clients = 48;
const projects = ["proj_a", "proj_b"];
const texts = rowsOf(7).map(({ text }) => text);

/** The versions of each model: the same name and labels, another content. */
let models: ModelRecord[][];
let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
  const directory = await mkdtemp(join(cloud.home, "base-"));
  await writeTinyBase(directory, texts);
  const files = await readdir(directory);
  const { record } = await importBase(cloud.stores, { id: "tiny-bert", directory, files, replace: false });
  const { create } = await randomModels(cloud.stores.objects, record, directory);
  models = await Promise.all(
    projects.flatMap((project, p) =>
      Array.from({ length: 5 }, (_, m) => {
        const version = (v: number) =>
          create({
            project,
            id: `ft:tiny-bert:org::model${m}`,
            labels: ["a", "b", "c"],
            seed: 1 + 100 * p + 10 * m + v,
          });
        return Promise.all([0, 1, 2].map(version));
      }),
    ),
  );
});
after(() => cloud.close());

/** What each version answers to each text when it has a host for itself. */
async function expectedOf(host: ModelHost): Promise<Map<string, number[][]>> {
  const expected = new Map<string, number[][]>();
  for (const model of models.flat()) {
    const answers = await host.classify(model, texts);
    expected.set(
      model.digest,
      answers.map(({ probabilities }) => [...probabilities]),
    );
  }
  return expected;
}

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test(`no answer of ${answersWanted} is another model's, while models load, go and are retrained`, async () => {
  const calm = createModelHost(cloud.stores.objects, { threads: 1 });
  const expected = await expectedOf(calm);
  await calm.close();
  const apart = [...expected.values()].flatMap((one, i) => {
    return [...expected.values()]
      .slice(i + 1)
      .map((other) => Math.max(...one.map((row, text) => distance(row, other[text]!))));
  });
  assert.ok(Math.min(...apart) > 0.01, "an answer tells which model it is of");

  const bytes = models[0]![0]!.bytes;
  // Room for about a third of the models in memory, and for half of them on disk.
  const host = createModelHost(cloud.stores.objects, {
    threads: 2,
    processes: 2,
    adapterBytes: 3.5 * bytes,
    fileBytes: 5 * bytes,
  });
  const versions = models.map(() => 0);
  let asked = 0;
  let answered = 0;
  let crossed = 0;
  let calledOff = 0;
  const client = async () => {
    while (answered < answersWanted) {
      const random = mixSeeds(1, asked++) >>> 0;
      const which = random % models.length;
      if (asked % 50 === 0) versions[which] = (versions[which]! + 1) % 3;
      const model = models[which]![versions[which]!]!;
      const start = (random >>> 8) % (texts.length - textsPerRequest);
      const signal = asked % 20 === 0 ? AbortSignal.timeout(random % 16) : undefined;
      const answers = await host.classify(model, texts.slice(start, start + textsPerRequest), signal).catch((error) => {
        if (!signal?.aborted) throw error;
        calledOff++;
        return [];
      });
      for (const [i, { probabilities }] of answers.entries()) {
        if (distance(probabilities, expected.get(model.digest)![start + i]!) > 1e-4) crossed++;
      }
      answered += answers.length;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await host.close();
  assert.ok(answered >= answersWanted);
  assert.equal(crossed, 0);
  assert.ok(calledOff > 0, "some requests were called off in the middle");
});
