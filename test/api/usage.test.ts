/** Usage and costs, asked for with the SDK: every inference counts once, and totals are the sums of the records. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { idBound, newId } from "../../shared/ids.ts";
import { createMeter } from "../../shared/inference/metered.ts";
import { usualPrices } from "../../shared/pricing/prices.ts";
import type { UsageRecord } from "../../shared/schemas/usage.ts";
import { minuteOf } from "../../shared/stores/usage.ts";
import { refused } from "../support/contract.ts";
import { type Deployment, deploy, type Tenant } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { addModel } from "../support/records.ts";

let deployment: Deployment;
let model: string;
before(async () => {
  deployment = await deploy({ host: fakeHost() });
  ({ id: model } = await addModel(deployment.stores, deployment.a));
});
after(() => deployment.close());

const admin = (tenant: Tenant) =>
  new OpenAI({ adminAPIKey: tenant.adminKey, baseURL: deployment.baseURL, maxRetries: 0 }).admin.organization.usage;
const decide = (headers: Record<string, string> = {}) =>
  deployment.client().post<{ usage: { input_tokens: number; output_tokens: number } }>("/decisions", {
    body: { model, input: "ham", questions: [{ type: "predicate", instructions: "ham" }] },
    headers,
  });

async function recordsOf(tenant: Tenant): Promise<UsageRecord[]> {
  const records: UsageRecord[] = [];
  for await (const record of deployment.stores.usage.stream(tenant.project.id, 0, 1e10)) records.push(record);
  return records;
}

const resultsOf = ({ data }: { data: readonly { results: readonly object[] }[] }) =>
  data.flatMap(({ results }) => results) as never[];
const today = () => ({ start_time: Math.floor(Date.now() / 1000) - 3600 });

describe("inferences", () => {
  test("each counts once when it is answered, many at once too, and one that is replayed does not again", async () => {
    const before = (await recordsOf(deployment.a)).length;
    const answers = await Promise.all(Array.from({ length: 25 }, () => decide()));
    await decide({ "Idempotency-Key": "once" });
    await decide({ "Idempotency-Key": "once" });
    const records = (await recordsOf(deployment.a)).slice(before);
    assert.equal(records.length, 26);
    const { usage } = answers[0]!;
    for (const { kind, model: answered, input_tokens, output_tokens, requests } of records) {
      assert.deepEqual(
        { kind, model: answered, input_tokens, output_tokens, requests },
        {
          kind: "decisions",
          model,
          ...{ input_tokens: usage.input_tokens, output_tokens: usage.output_tokens },
          requests: 1,
        },
      );
    }
    assert.equal(new Set(records.map(({ api_key_id }) => api_key_id)).size, 1);
  });

  test("a refusal costs nothing", async () => {
    const before = (await recordsOf(deployment.a)).length;
    await assert.rejects(deployment.client().embeddings.create({ model: "no-such", input: "x" }), { status: 404 });
    assert.equal((await recordsOf(deployment.a)).length, before);
  });

  test("those that end while a write is on its way share the next one; what cannot be written fails its answer", async () => {
    const writes: number[] = [];
    let fails = false;
    const put = async (_: string, records: readonly UsageRecord[]) => {
      writes.push(records.length);
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (fails) throw new Error("no table");
    };
    const meter = createMeter({ put }, usualPrices);
    const metered = () => ({ id: newId("request"), endpoint: "/v1/embeddings", model: "m", usage });
    const usage = { input_tokens: 3, output_tokens: 0 };
    await Promise.all(Array.from({ length: 40 }, () => meter.add("p", metered())));
    assert.ok(writes.length <= 4 && writes.reduce((sum, length) => sum + length) === 40, String(writes));
    fails = true;
    await assert.rejects(meter.add("p", metered()), /no table/);
  });

  test("one that took long waits a moment for others, one that did not is written at once", async () => {
    const writes: number[] = [];
    const put = async (_: string, records: readonly UsageRecord[]) => void writes.push(records.length);
    const meter = createMeter({ put }, usualPrices);
    const usage = { input_tokens: 3, output_tokens: 0 };
    const add = (id: string) => meter.add("p", { id, endpoint: "/v1/embeddings", model: "m", usage });
    const quick = add(newId("request"));
    await Promise.resolve();
    assert.deepEqual(writes, [1]);
    await quick;
    const begun = [newId("request"), newId("request")];
    await new Promise((resolve) => setTimeout(resolve, 60));
    const first = add(begun[0]!);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([first, add(begun[1]!)]);
    assert.deepEqual(writes, [1, 2]);
  });
});

describe("usage", () => {
  test("is added up by bucket, filtered, and told apart by group", async () => {
    const records = await recordsOf(deployment.a);
    const sum = (field: "requests" | "input_tokens") => records.reduce((total, record) => total + record[field], 0);
    const [total] = resultsOf(await admin(deployment.a).decisions(today())) as { [key: string]: unknown }[];
    assert.equal(total!.object, "organization.usage.decisions.result");
    assert.deepEqual([total!.num_model_requests, total!.input_tokens], [sum("requests"), sum("input_tokens")]);
    assert.deepEqual([total!.project_id, total!.model], [null, null]);
    const group_by = ["project_id" as const, "model" as const, "api_key_id" as const];
    const [grouped] = resultsOf(await admin(deployment.a).decisions({ ...today(), group_by })) as (typeof total)[];
    assert.deepEqual([grouped!.project_id, grouped!.model], [deployment.a.project.id, model]);
    assert.match(String(grouped!.api_key_id), /^key_/);
    for (const none of [{ models: ["other"] }, { project_ids: ["proj_x"] }, { api_key_ids: ["x"] }, { batch: true }]) {
      assert.deepEqual(resultsOf(await admin(deployment.a).decisions({ ...today(), ...none })), []);
    }
    assert.deepEqual(resultsOf(await admin(deployment.a).completions(today())), []);
  });

  test("pages by buckets, which are aligned to their width", async () => {
    const start_time = 1_700_000_010;
    const asked = { start_time, end_time: start_time + 300, bucket_width: "1m" as const, limit: 4 };
    const first = await admin(deployment.a).embeddings(asked);
    assert.deepEqual(
      first.data.map((bucket) => bucket.start_time % 60),
      [start_time % 60, 0, 0, 0],
    );
    assert.equal(first.has_more, true);
    const second = await admin(deployment.a).embeddings({ ...asked, page: first.next_page! });
    assert.equal(second.data[0]!.start_time, first.data.at(-1)!.end_time);
    assert.deepEqual([second.has_more, second.next_page, second.data.at(-1)!.end_time], [false, null, asked.end_time]);
  });

  test("is of one's own organization, and for admin keys alone", async () => {
    assert.deepEqual(resultsOf(await admin(deployment.b).decisions(today())), []);
    const response = await deployment.fetch("/v1/organization/costs");
    await refused(response, { status: 403, code: "admin_key_required" });
  });

  test("names what is wrong with a request", async () => {
    const key = deployment.a.adminKey;
    for (const [query, param] of [
      ["start_time=x", "start_time"],
      ["bucket_width=1y", "bucket_width"],
      ["limit=0", "limit"],
      ["group_by[]=colour", /group_by/],
      ["page=zzz", "page"],
    ] as const) {
      await refused(await deployment.fetch(`/v1/organization/usage/decisions?${query}`, { key }), { param });
    }
  });
});

describe("costs", () => {
  test("are the records' own amounts, by line item", async () => {
    const nanos = (await recordsOf(deployment.a)).reduce((sum, record) => sum + record.nanos, 0);
    assert.ok(nanos > 0);
    const page = await admin(deployment.a).costs({ ...today(), group_by: ["line_item", "project_id"] });
    const [cost] = resultsOf(page) as OpenAI.Admin.Organization.UsageCostsResponse.Data.OrganizationCostsResult[];
    assert.deepEqual(cost!.amount, { value: nanos / 1e9, currency: "usd" });
    assert.deepEqual([cost!.line_item, cost!.quantity_unit], [`${model}, decisions`, "tokens"]);
  });
});

test("a record that was written twice, in rows of its own, counts once", async () => {
  const { stores, b } = deployment;
  const created_at = 1_600_000_000;
  const id = `${idBound("request", created_at * 1000)}0123456789abcdef`;
  const work = { kind: "tensors" as const, model: "m", api_key_id: null, is_batch: false };
  const record: UsageRecord = {
    id,
    ...work,
    requests: 1,
    input_tokens: 0,
    output_tokens: 0,
    milliseconds: 0,
    nanos: 5,
    created_at,
  };
  const other = { ...record, id: `${id}x` };
  await stores.usage.put(b.project.id, [record]);
  await stores.usage.put(b.project.id, [record, other]);
  assert.equal(minuteOf(record), minuteOf(other));
  const found = await Array.fromAsync(stores.usage.stream(b.project.id, created_at, created_at + 1));
  assert.deepEqual(found.map((each) => each.id).sort(), [record.id, other.id].sort());
});
