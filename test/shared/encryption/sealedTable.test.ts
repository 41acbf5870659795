/** What rows say lies sealed in the table, opens where it was written alone, and is found, changed and swept as if it were plain. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { contentOf } from "../../../shared/encryption/rowContent.ts";
import { sealTable } from "../../../shared/encryption/sealedTable.ts";
import { createStores, type Stores } from "../../../shared/stores/stores.ts";
import { createTable, type Item, type Key, type Table, tableSchema } from "../../../shared/stores/table.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../../support/deployment.ts";
import { type KmsServer, startKms } from "../../support/kms.ts";

const secret = "MARKER-7f3a-in-plain-sight";
const gone = { code: "encryption_key_deleted", status: 410 };
const none = () => [];

let kms: KmsServer;
let cloud: Cloud;
let plain: Table;
let a: Tenant;

const sealedBy = (stores: Stores) => sealTable(plain, stores.sealing!);
const otherProcess = () =>
  sealedBy(createStores(cloud.aws, { ...cloud.names, encryption: { provider: "kms", at: "tests" } }));

before(async () => {
  kms = await startKms();
  process.env.AWS_ENDPOINT_URL_KMS = kms.url;
  cloud = await openCloud(() => "kms:tests");
  plain = createTable(cloud.aws.dynamodb, cloud.names.table);
  a = await createTenant(cloud.stores, "acme");
});
after(async () => {
  delete process.env.AWS_ENDPOINT_URL_KMS;
  await cloud.close();
  await kms.close();
});

const keyIn = ({ project }: Tenant, noun: string, sk: string): Key => ({ pk: `${project.id}#${noun}`, sk });
const raw = async (key: Key) =>
  (await cloud.aws.dynamodb.send(new GetCommand({ TableName: cloud.names.table, Key: key }))).Item!;
const overwrite = (key: Key, item: Item) =>
  cloud.aws.dynamodb.send(new PutCommand({ TableName: cloud.names.table, Item: { ...item, ...key } }));
const isSealed = (value: unknown) => value instanceof Uint8Array && !Buffer.from(value).includes(secret);
const always = { expression: "attribute_exists(pk)" };

describe("a row", () => {
  it("has what it says sealed, and what the table works with plain", async () => {
    const table = sealedBy(cloud.stores);
    const key = keyIn(a, "inference", "req_1");
    const input = { json: secret };
    const item = { id: "req_1", model: "m", content: { input, output: { object_key: "o" } }, metadata: { a: secret } };
    assert.ok(await table.create(key, { ...item, feedback: {} }));
    const { content, metadata, ...rest } = await raw(key);
    assert.ok(isSealed(content.input.json) && isSealed(metadata));
    assert.deepEqual(rest, { id: "req_1", model: "m", feedback: {}, ...key });
    assert.deepEqual(content.output, { object_key: "o" }, "what is to be removed with the row is found without a key");
    for (const reader of [table, otherProcess()]) {
      assert.deepEqual(await reader.get(key), { ...item, feedback: {}, ...key });
      assert.deepEqual(await reader.getMany([key]), [{ ...item, feedback: {}, ...key }]);
    }
  });

  it("is changed, alone and in a transaction, and takes away what it said", async () => {
    const table = sealedBy(cloud.stores);
    const key = keyIn(a, "job", "ftjob-1");
    await table.transact([{ type: "put", key, item: { status: "running", metadata: { a: "1" } } }]);
    await table.update(key, { error: { message: secret }, metadata: undefined }, always);
    const event = keyIn(a, "event#ftjob-1", "e");
    await table.transact([
      { type: "update", key, changes: { metadata: { team: secret } }, condition: always },
      { type: "create", key: event, item: { message: secret } },
    ]);
    assert.deepEqual(await table.get(key), {
      ...{ status: "running", metadata: { team: secret }, error: { message: secret }, ...key },
    });
    const [job, told] = [await raw(key), await raw(event)];
    assert.ok(isSealed(job.metadata) && isSealed(job.error) && isSealed(told.message));
  });

  it("opens nowhere else: not in another row, attribute, project or organization", async () => {
    const table = sealedBy(cloud.stores);
    const b = await createTenant(cloud.stores, "other");
    const key = keyIn(a, "metric", "mine");
    await table.create(key, { description: secret });
    await table.create(keyIn(b, "metric", "theirs"), { description: "theirs" });
    const { description } = await raw(key);
    const places: [Key, Item][] = [
      [keyIn(a, "metric", "moved"), { description }],
      [keyIn(b, "metric", "mine"), { description }],
      [keyIn(a, "function", "f"), { incumbent_reason: description }],
    ];
    for (const [place, item] of places) {
      await overwrite(place, item);
      await assert.rejects(table.get(place), /for another place/, JSON.stringify(place));
    }
    const own = keyIn(a, "function", "own");
    await table.create(own, { description: secret });
    await overwrite(own, { incumbent_reason: (await raw(own)).description });
    await assert.rejects(table.get(own), /for another place/);
  });

  it("is found by what is sealed, page by page, in either order", async () => {
    const table = sealedBy(cloud.stores);
    const pk = `${a.project.id}#batch`;
    for (let i = 0; i < 30; i++) {
      const item = { metadata: i % 3 ? { team: `${i % 2}` } : null, status: i < 20 ? "done" : "new" };
      await table.create({ pk, sk: `b${String(i).padStart(2, "0")}` }, item);
    }
    const options = { limit: 4, equals: { "metadata.team": "1", status: "done" } };
    const ids = async (more: object) => (await table.query(pk, { ...options, ...more })).map(({ sk }) => sk);
    assert.deepEqual(await ids({}), ["b01", "b05", "b07", "b11"]);
    assert.deepEqual(await ids({ after: "b11" }), ["b13", "b17", "b19"]);
    assert.deepEqual(await ids({ descending: true, limit: 2 }), ["b19", "b17"]);
    assert.equal((await ids({ equals: { metadata: null }, limit: 100 })).length, 10);
  });

  it("that was written though nobody heard so is known again", async () => {
    const { dynamodb } = cloud.aws;
    let losing = true;
    const send = async (command: { input: unknown }) => {
      const answer = await dynamodb.send(command as GetCommand);
      if (losing && command instanceof PutCommand) {
        losing = false;
        await dynamodb.send(command as PutCommand).catch((error) => {
          error.$metadata.attempts = 2;
          throw error;
        });
      }
      return answer;
    };
    const flaky = createTable({ send } as unknown as typeof dynamodb, cloud.names.table);
    const key = keyIn(a, "metric", "unheard");
    assert.equal(await sealTable(flaky, cloud.stores.sealing!).create(key, { description: secret }), true);
  });

  it("costs no call of KMS, however many there are", async () => {
    const table = otherProcess();
    const before = kms.calls.length;
    for (let i = 0; i < 30; i++) await table.create(keyIn(a, "metric", `many-${i}`), { description: secret });
    for (let i = 0; i < 30; i++) await table.get(keyIn(a, "metric", `many-${i}`));
    assert.deepEqual(kms.calls.slice(before), ["Decrypt"]);
  });

  it("of before there were keys is read as it is", async () => {
    const tenant = await createTenant(cloud.stores, "late");
    const key = keyIn(tenant, "metric", "early");
    await plain.create(key, { description: secret });
    assert.deepEqual(await sealedBy(cloud.stores).get(key), { description: secret, ...key });
  });

  it("of every version of the key opens, also one made a moment ago elsewhere", async () => {
    const tenant = await createTenant(cloud.stores, "turning");
    const [here, there] = [sealedBy(cloud.stores), otherProcess()];
    const [old, young] = [keyIn(tenant, "metric", "old"), keyIn(tenant, "metric", "young")];
    await here.create(old, { description: secret });
    assert.equal((await there.get(old))?.description, secret);
    await cloud.stores.sealing!.keys.rotate(tenant.project.organization_id, none);
    await here.create(young, { description: secret });
    assert.equal(Buffer.from((await raw(young)).description).readUInt32BE(1), 2);
    for (const key of [old, young]) assert.equal((await there.get(key))?.description, secret);
  });
});

describe("rows of an organization whose key is deleted", () => {
  let tenant: Tenant;
  let table: Table;
  const items: [noun: string, sk: string, item: Item][] = [
    ["eval", "1", { testing_criteria: [secret] }],
    ["job", "1", { status: "running", metadata: { a: secret }, error: { message: secret } }],
    ["inference", "1", { content: { input: { json: secret }, output: null } }],
    ["metric", "plain", { description: secret }],
  ];
  before(async () => {
    tenant = await createTenant(cloud.stores, "leaving");
    table = sealedBy(cloud.stores);
    for (const [noun, sk, item] of items) {
      await (sk === "plain" ? plain : table).create(keyIn(tenant, noun, sk), {
        ...item,
        [tableSchema.workIndex.partition]: "test_work",
        [tableSchema.workIndex.sort]: "2020",
      });
    }
    await cloud.stores.sealing!.keys.delete(tenant.project.organization_id, none);
  });

  it("are refused, or told without what they said; what was plain as well", async () => {
    const read = (noun: string, sk = "1") => table.get(keyIn(tenant, noun, sk));
    await assert.rejects(read("eval"), gone);
    await assert.rejects(table.query(`${tenant.project.id}#eval`, { limit: 1 }), gone);
    const job = (await read("job"))!;
    assert.deepEqual([job.status, job.metadata], ["running", null]);
    assert.equal((job.error as { code: string }).code, "encryption_key_deleted");
    assert.equal((await read("metric", "plain"))?.description, null);
    const { content } = (await read("inference")) as { content: { input: { object_key: string } } };
    await assert.rejects(cloud.stores.objects.get(content.input.object_key), gone);
  });

  it("take nothing new, except how work ended", async () => {
    const job = keyIn(tenant, "job", "1");
    await assert.rejects(table.update(job, { metadata: { a: "b" } }, always), gone);
    await assert.rejects(table.create(keyIn(tenant, "eval", "2"), { name: "n" }), gone);
    await table.update(job, { status: "failed", error: { message: secret } }, always);
    const { status, error } = await raw(job);
    assert.deepEqual([status, error.code], ["failed", "encryption_key_deleted"]);
    assert.ok(!JSON.stringify(error).includes(secret));
  });

  it("stop nobody who looks for work of all, and ask for no key", async () => {
    const before = kms.calls.length;
    const due = await otherProcess().dueWork("test_work", "2021", 10);
    assert.equal(due.length, items.length);
    assert.equal(kms.calls.length, before);
    assert.ok(!due.some(({ sk, ...item }) => sk !== "plain" && JSON.stringify(item).includes(secret)));
  });

  it("are left out of lists when there is a key again", async () => {
    await cloud.stores.sealing!.keys.rotate(tenant.project.organization_id, none);
    await table.create(keyIn(tenant, "eval", "2"), { name: "new life" });
    const found = await table.query(`${tenant.project.id}#eval`, { limit: 1 });
    assert.deepEqual(
      found.map(({ name }) => name),
      ["new life"],
    );
    await assert.rejects(table.get(keyIn(tenant, "eval", "1")), gone);
  });
});

it("whether a noun's rows are sealed was decided of every noun that stores name", () => {
  const root = join(import.meta.dirname, "../../..");
  const sources = globSync("shared/stores/*.ts", { cwd: root });
  const text = sources.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
  const keys = [
    ...text.matchAll(/project(?:_id|Id)?\}#([a-z_]+)[`#]/g),
    ...text.matchAll(/\bnoun(?: =|:) "([a-z_]+)"/g),
  ];
  const nouns = new Set(keys.map(([, noun]) => noun!));
  assert.ok(nouns.size > 30, `found ${[...nouns]}`);
  nouns.delete("admin_key"); // of organizations
  for (const noun of nouns) contentOf(`proj_x#${noun}`);
  assert.throws(() => contentOf("proj_x#unheard_of"), /neither in the list/);
  assert.equal(contentOf("org-x#audit_log"), undefined);
});
