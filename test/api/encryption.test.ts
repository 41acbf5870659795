/** Where organizations have keys, nothing that customers say lies readable anywhere, and none of it is answered when the key is deleted. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { paginateScan } from "@aws-sdk/lib-dynamodb";
import { pino } from "pino";
import { logRequests } from "../../api/requestEvents.ts";
import { createTable, type Item } from "../../shared/stores/table.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { fakeHost } from "../support/fakeHost.ts";
import { type Planted, plantAll } from "../support/planted.ts";
import { marker } from "../support/plantings.ts";

const logged: string[] = [];
const log = pino({ level: "trace" }, { write: (line) => void logged.push(line) });
let deployment: Deployment;
let ours: Planted[];
let theirs: Planted[];
before(async () => {
  const host = fakeHost();
  deployment = await deploy({
    host,
    keysAt: (home) => `file:${join(home, "keys")}`,
    heavyBytes: 1,
    answerWaitSeconds: 0,
  });
  ours = await plantAll({ deployment, host, log }, deployment.a);
  theirs = await plantAll({ deployment, host, log }, deployment.b, 6);
});
after(() => deployment.close());

/** All items as the table has them. */
async function items(): Promise<Item[]> {
  const asked = { TableName: deployment.names.table };
  const pages = await Array.fromAsync(paginateScan({ client: deployment.aws.dynamodb }, asked));
  return pages.flatMap(({ Items = [] }) => Items);
}

/** All objects as the bucket has them, with what it knows of them. */
async function objects(): Promise<[name: string, content: unknown][]> {
  const { s3 } = deployment.aws;
  const Bucket = deployment.names.bucket;
  const { Contents = [], IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket }));
  assert.ok(!IsTruncated);
  const read = async (Key: string): Promise<[string, unknown]> => {
    const { Body, ...known } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return [Key, { known: { ...known, $metadata: undefined }, body: await Body!.transformToByteArray() }];
  };
  return Promise.all(Contents.map(({ Key }) => read(Key!)));
}

/** All messages that wait, with their attributes. */
async function messages(): Promise<unknown[]> {
  const { queueUrl, answerQueueUrl, deadLetterQueueUrl } = deployment.names;
  const found: unknown[] = [];
  for (const QueueUrl of [queueUrl, answerQueueUrl, deadLetterQueueUrl]) {
    for (;;) {
      const names = { MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All" as const] };
      const asked = { ...names, QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 };
      const { Messages = [] } = await deployment.aws.sqs.send(new ReceiveMessageCommand(asked));
      if (Messages.length === 0) break;
      found.push(...Messages);
    }
  }
  return found;
}

/** Also of what could be read in bytes, or in text that is bytes. */
function holdsMarker(value: unknown): boolean {
  if (value instanceof Uint8Array) return Buffer.from(value).includes(marker);
  if (typeof value === "string") return value.includes(marker) || Buffer.from(value, "base64").includes(marker);
  if (value === null || typeof value !== "object") return false;
  return Object.entries(value).some(([name, part]) => name.includes(marker) || holdsMarker(part));
}
const withMarker = async () => (await items()).filter(holdsMarker).map(({ pk, sk }) => `${pk} ${sk}`);
const hasBytes = (value: unknown): boolean =>
  value instanceof Uint8Array || (value !== null && typeof value === "object" && Object.values(value).some(hasBytes));
const told = async ({ read }: Planted) => JSON.stringify(await read());
const ofKey = (path: string, method: string) =>
  deployment.fetch(`/v1/organization/encryption_key${path}`, { method, key: deployment.a.adminKey });

describe("what customers say", () => {
  test("is told to them", async () => {
    for (const one of [...ours, ...theirs]) assert.ok((await told(one)).includes(marker), one.what);
  });

  test("lies in no item of the table where it could be read", async () => {
    assert.deepEqual(await withMarker(), []);
    const nouns = new Set((await items()).filter(hasBytes).map(({ pk }) => String(pk).split("#")[1]));
    assert.ok(nouns.size >= 18, `sealed are ${[...nouns]}`);
    const plain = createTable(deployment.aws.dynamodb, deployment.names.table);
    const key = { pk: "plain", sk: "1" };
    await plain.create(key, { said: { deep: [marker] } });
    assert.deepEqual(await withMarker(), ["plain 1"], "the search finds nothing at all");
    await plain.delete(key);
  });

  test("lies in no object, message or line of a log", async () => {
    const found = await objects();
    assert.ok(found.length >= 20, `${found.length} objects`);
    assert.deepEqual(
      found.filter(holdsMarker).map(([name]) => name),
      [],
    );
    const waiting = await messages();
    assert.ok(waiting.length > 10, `${waiting.length} messages`);
    assert.ok(!holdsMarker(waiting));
    const observe = logRequests(log);
    for (const event of deployment.observed) observe(event);
    assert.ok(logged.length > 50, `${logged.length} lines`);
    assert.deepEqual(logged.filter(holdsMarker), []);
  });

  test("is told to them as before when the key is rotated, and what is new is sealed under the new version", async () => {
    const before = new Set((await items()).map(({ pk, sk }) => `${pk} ${sk}`));
    assert.equal((await ofKey("/rotate", "POST")).status, 200);
    const body = { name: "turned", description: marker, type: "boolean", level: "inference", optimize: "max" };
    await deployment.client().post("/metrics", { body });
    const isNew = ({ pk, sk }: Item) => !before.has(`${pk} ${sk}`) && String(pk).endsWith("#metric");
    const [row, ...others] = (await items()).filter(isNew);
    assert.equal(others.length, 0);
    assert.equal(Buffer.from(row!.description as Uint8Array).readUInt32BE(1), 2);
    for (const one of ours) assert.ok((await told(one)).includes(marker), one.what);
  });
});

describe("when an organization's key is deleted", () => {
  before(async () => {
    const { status } = await ofKey(`?confirmation=${deployment.a.project.organization_id}`, "DELETE");
    assert.equal(status, 200);
  });

  test("what it said is refused, or told without it", async () => {
    for (const one of ours) {
      const told = await one.read().catch(({ status, code }) => ({ status, code }));
      if (one.then === "refused") assert.deepEqual(told, { status: 410, code: "encryption_key_deleted" }, one.what);
      else assert.ok(!JSON.stringify(told).replace(`["${marker}"`, "").includes(marker), one.what);
    }
  });

  test("nothing new that says anything is taken, and rows that say nothing can still be listed", async () => {
    const client = deployment.client();
    const [model] = (await deployment.stores.models.list(deployment.a.project.id, { limit: 1 })).map(({ id }) => id);
    const messages = [{ role: "user" as const, content: "spam" }];
    const gone = { status: 410, code: "encryption_key_deleted" };
    await assert.rejects(client.chat.completions.create({ model: model!, messages, store: true }), gone);
    await assert.rejects(client.chat.completions.list(), gone);
    for (const path of ["inferences", "fine_tuning/jobs", "files", "batches", "metrics", "aliases"]) {
      const { data } = (await client.get(`/${path}`)) as { data: object[] };
      assert.ok(data.length > 0, path);
      assert.ok(!JSON.stringify(data).includes(marker), path);
    }
  });

  test("all that others said is told to them, and nothing was our fault", async () => {
    for (const one of theirs) assert.ok((await told(one)).includes(marker), one.what);
    assert.deepEqual(
      deployment.observed.filter(({ type }) => type === "failed"),
      [],
    );
  });
});
