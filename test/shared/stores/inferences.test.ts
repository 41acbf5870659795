/** How inferences are found: by an index where there is one, and with the feedback that data sets are made of. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newId } from "../../../shared/ids.ts";
import { createEpisodes } from "../../../shared/stores/episodes.ts";
import { take } from "../../../shared/stores/indexedRows.ts";
import { type InferenceFilter, selectInferences } from "../../../shared/stores/inferenceFilter.ts";
import { createInferences } from "../../../shared/stores/inferences.ts";
import { streamJudged } from "../../../shared/stores/judged.ts";
import { createTable, type Table, tableSchema } from "../../../shared/stores/table.ts";
import { type Cloud, createTenant, openCloud } from "../../support/deployment.ts";
import { addEpisode, addInference } from "../../support/records.ts";

let cloud: Cloud;
before(async () => {
  cloud = await openCloud();
});
after(() => cloud.close());

const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);

test("by model or episode nothing else is read, and a page reads no more than it shows", async () => {
  const { stores } = cloud;
  const tenant = await createTenant(stores, "found");
  const episode_id = await addEpisode(stores, tenant);
  for (let i = 0; i < 60; i++) await addInference(stores, tenant, { model: "common" });
  const rare = await addInference(stores, tenant, { model: "rare", episode_id });
  let read = 0;
  const real = createTable(cloud.aws.dynamodb, cloud.names.table);
  const counted: Table = {
    ...real,
    async query(pk, options) {
      const items = await real.query(pk, options);
      read += items.length;
      return items;
    },
  };
  const clear = async () => {};
  const inferences = createInferences(counted, stores.objects, { episodes: createEpisodes(counted), clear });
  const find = async (filter: InferenceFilter, count: number) => {
    read = 0;
    return take(selectInferences(inferences, tenant.project.id, filter, { page: count }), count);
  };
  assert.deepEqual([idsOf(await find({ model: "rare" }, 10)), read], [[rare.id], 1]);
  assert.deepEqual([idsOf(await find({ episode_id }, 10)), read], [[rare.id], 1]);
  assert.deepEqual([(await find({ model: "common" }, 10)).length, read], [10, 10]);
  assert.deepEqual([(await find({}, 5)).length, read], [5, 5]);
});

test("a pointer whose row is gone, and rows of one second, are no trouble to who pages", async () => {
  const { stores, names, aws } = cloud;
  const tenant = await createTenant(stores, "gone");
  const project = tenant.project.id;
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.unshift((await addInference(stores, tenant, { model: "m" })).id);
  const table = createTable(aws.dynamodb, names.table);
  await table.delete(stores.inferences.keyOf({ project_id: project, id: ids[2]! }));
  const rows = selectInferences(stores.inferences, project, { model: "m" }, { page: 2 });
  assert.deepEqual(idsOf(await Array.fromAsync(rows)), ids.toSpliced(2, 1));
  const ascending = selectInferences(stores.inferences, project, { model: "m" }, { page: 3, order: "asc" });
  assert.deepEqual(idsOf(await Array.fromAsync(ascending)), ids.toSpliced(2, 1).reverse());
});

test("judged inferences come once each, with what is in force on them and on their episode", async () => {
  const { stores } = cloud;
  const tenant = await createTenant(stores, "judged");
  const project_id = tenant.project.id;
  const [judged, silent] = [await addEpisode(stores, tenant), await addEpisode(stores, tenant)];
  const add = async (model: string, episode_id: string | null) =>
    (await addInference(stores, tenant, { model, episode_id })).id;
  const [both, byEpisode, own] = [await add("a", judged), await add("a", judged), await add("b", silent)];
  await add("b", null);
  const give = (level: "inference" | "episode", target: string, metric_name: string, value: boolean | string) =>
    stores.feedback.give({ project_id, level, target, metric_name, value });
  await give("inference", both, "solved", true);
  await give("inference", both, "solved", false);
  await give("inference", own, "demonstration", "ham");
  await give("episode", judged, "bought", true);
  const stream = async (filter: InferenceFilter) => {
    const found = await Array.fromAsync(streamJudged(stores, project_id, filter));
    return found.map(({ inference, feedback, episode_feedback }) => {
      const values = (entries: typeof feedback) =>
        Object.values(entries).map((entry) => [entry.metric_name, entry.value]);
      return [inference.id, values(feedback), values(episode_feedback)];
    });
  };
  const rows = {
    own: [own, [["demonstration", null]], []],
    both: [both, [["solved", false]], [["bought", true]]],
    byEpisode: [byEpisode, [], [["bought", true]]],
  };
  assert.deepEqual(await stream({}), [rows.own, rows.both, rows.byEpisode]);
  assert.deepEqual(await stream({ model: "a" }), [rows.both, rows.byEpisode]);
  assert.deepEqual(await stream({ metric: { name: "solved", max: 0 } }), [rows.both]);
  assert.deepEqual(await stream({ metric: { name: "solved", min: 1 } }), []);
  assert.deepEqual(await stream({ episode_id: silent }), [rows.own]);
});

test("an episode lives as long as the last inference in it, and recording again keeps what was said of it", async () => {
  const { stores } = cloud;
  const tenant = await createTenant(stores, "kept");
  const project_id = tenant.project.id;
  const now = Math.floor(Date.now() / 1000);
  const id = newId("episode");
  await stores.episodes.create({ id, project_id, created_at: now, expires_at: now + 10 });
  const buy = (value: boolean) =>
    stores.feedback.give({ project_id, level: "episode", target: id, metric_name: "bought", value });
  await buy(false);
  const late = await addInference(stores, tenant, { episode_id: id, expires_at: now + 100 });
  const latest = await buy(true);
  assert.equal(latest?.expires_at, now + 100);
  const table = createTable(cloud.aws.dynamodb, cloud.names.table);
  const episode = (await stores.episodes.get(project_id, id))!;
  const pointer = await table.get(stores.episodes.pointerTo(episode, "judged", "true").key);
  assert.equal(pointer?.[tableSchema.timeToLive], now + 100);
  await addInference(stores, tenant, { episode_id: id, expires_at: now + 50 });
  assert.equal((await stores.episodes.get(project_id, id))?.expires_at, now + 100);
  await stores.feedback.give({ project_id, level: "inference", target: late.id, metric_name: "solved", value: true });
  await stores.inferences.put({ ...late, latency_ms: 7 });
  const again = await stores.inferences.get(project_id, late.id);
  assert.deepEqual([again?.latency_ms, Object.keys(again!.feedback)], [7, ["solved"]]);
});
