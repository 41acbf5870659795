/** The fault proxy does to calls what it says, by seed; and the product's clients and stores come through it. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { type AwsClients, createAwsClients } from "../../../shared/aws.ts";
import { createQueue } from "../../../shared/queue.ts";
import { createObjects } from "../../../shared/stores/objects.ts";
import { createTable, type Table } from "../../../shared/stores/table.ts";
import { type Cloud, openCloud } from "../deployment.ts";
import { type Call, type Fault, type FaultKind, planFaults, type Service, services } from "./faults.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";

let cloud: Cloud;
let proxies: Record<Service, FaultProxy>;
let aws: AwsClients;
let table: Table;
/** What befalls the next calls, in order; a function is asked about each call until it returns a fault. */
let coming: (FaultKind | ((call: Call) => Fault | undefined))[] = [];

before(async () => {
  cloud = await openCloud();
  const plan = {
    share: 0,
    next(call: Call): Fault | undefined {
      const [first] = coming;
      if (first === undefined) return undefined;
      const fault = typeof first === "string" ? { kind: first, measure: 0.4 } : first(call);
      if (fault) coming.shift();
      return fault;
    },
  };
  const started = services.map(async (service) => {
    const name = `AWS_ENDPOINT_URL_${service.toUpperCase()}`;
    const proxy = await startFaultProxy(service, cloud.environment[name]!, plan);
    process.env[name] = proxy.url;
    return [service, proxy] as const;
  });
  proxies = Object.fromEntries(await Promise.all(started)) as Record<Service, FaultProxy>;
  aws = createAwsClients();
  table = createTable(aws.dynamodb, cloud.names.table);
});
after(async () => {
  for (const client of Object.values(aws)) client.destroy();
  await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
  await cloud.close();
});

const keyOf = (name: string) => ({ pk: "proj_1#thing", sk: name });
const place = (key: string) => ({ Bucket: cloud.names.bucket, Key: key });
/** Clients go where a queue's URL says. */
const queueUrls = () => {
  const moved = (url: string) => proxies.sqs.url + new URL(url).pathname;
  const { queueUrl, answerQueueUrl, deadLetterQueueUrl } = cloud.names;
  return {
    queueUrl: moved(queueUrl),
    answerQueueUrl: moved(answerQueueUrl),
    deadLetterQueueUrl: moved(deadLetterQueueUrl),
  };
};
/** Calls that one piece of work makes, by the proxy's own count. */
const callsOf = async (service: Service, work: () => Promise<unknown>) => {
  const before = proxies[service].counts.calls;
  await work();
  return proxies[service].counts.calls - before;
};

test("a plan is told by its seed, befalls its share, and nothing to a service that cannot befall it", () => {
  const call = (i: number): Call => ({
    service: services[i % 3]!,
    operation: ["GET", "SendMessage", "PutItem"][i % 3]!,
  });
  const drawn = (seed: number) => {
    const plan = planFaults(seed, 0.1);
    return Array.from({ length: 6000 }, (_, i) => plan.next(call(i)));
  };
  assert.deepEqual(drawn(1), drawn(1));
  assert.notDeepEqual(drawn(1), drawn(2));
  const faults = drawn(1).flatMap((fault, i) => (fault ? [{ ...fault, ...call(i) }] : []));
  assert.ok(faults.length > 500 && faults.length < 700, `${faults.length} of 6000`);
  assert.ok(faults.every(({ kind, service }) => !kind.endsWith("_body") || service === "s3"));
  assert.ok(faults.every(({ kind, operation }) => kind !== "late" || operation === "SendMessage"));
  const quiet = planFaults(1, 0);
  assert.ok(Array.from({ length: 100 }, () => quiet.next(call(0))).every((fault) => fault === undefined));
});

for (const kind of ["error_before", "error_after", "throttle", "cut_before", "cut_after"] as const) {
  test(`${kind}: every service's client asks again and comes through`, async () => {
    const put = new PutCommand({ TableName: cloud.names.table, Item: { ...keyOf(kind), value: kind } });
    coming = [kind];
    assert.equal(await callsOf("dynamodb", () => aws.dynamodb.send(put)), 2);
    const get = new GetCommand({ TableName: cloud.names.table, Key: keyOf(kind) });
    assert.equal((await aws.dynamodb.send(get)).Item!.value, kind);

    coming = [kind];
    assert.equal(await callsOf("s3", () => aws.s3.send(new PutObjectCommand({ ...place(kind), Body: kind }))), 2);
    coming = [kind];
    const { Body } = await aws.s3.send(new GetObjectCommand(place(kind)));
    assert.equal(await Body!.transformToString(), kind);

    const message = { kind: "batch", project_id: "proj_1", id: kind } as const;
    const queue = createQueue(aws.sqs, queueUrls());
    coming = [kind];
    assert.equal(await callsOf("sqs", () => queue.send("batch", message)), 2);
    assert.equal((await receiveAll()).length, kind.endsWith("_after") ? 2 : 1);
    assert.equal(coming.length, 0);
  });
}

/** Takes what is in the queue. */
async function receiveAll(seconds = 0): Promise<unknown[]> {
  const QueueUrl = cloud.names.queueUrl;
  const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: seconds };
  const { Messages = [] } = await cloud.aws.sqs.send(new ReceiveMessageCommand(asked));
  for (const { ReceiptHandle } of Messages)
    await cloud.aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Messages.map(({ Body }) => JSON.parse(Body!));
}

test("messages come twice, and behind later ones", async () => {
  const queue = createQueue(aws.sqs, queueUrls());
  const message = (id: string) => ({ kind: "batch", project_id: "proj_1", id }) as const;
  coming = ["duplicate"];
  await queue.send("batch", message("twice"));
  assert.deepEqual(await receiveAll(), [message("twice"), message("twice")]);
  coming = ["reorder"];
  await queue.send("batch", message("first"));
  await queue.send("batch", message("second"));
  assert.deepEqual(await receiveAll(), [message("second")]);
  assert.deepEqual(await receiveAll(3), [message("first")]);
});

for (const kind of ["error_after", "cut_after"] as const) {
  test(`${kind}: a write that was done and not heard of counts as done, and only the writer's own`, async () => {
    const key = keyOf(`own-${kind}`);
    const item = { state: "new", owner: { id: "a" }, absent: undefined };
    coming = [kind];
    assert.equal(await table.create(key, item), true);
    coming = [kind];
    assert.equal(await table.create(key, { ...item, owner: { id: "b" } }), false);
    const isNew = { expression: "#state = :new", names: { "#state": "state" }, values: { ":new": "new" } };
    coming = [kind];
    assert.equal(await table.update(key, { state: "taken", owner: undefined, by: "one" }, isNew), true);
    coming = [kind];
    assert.equal(await table.update(key, { state: "taken", by: "two" }, isNew), false);
    assert.deepEqual(await table.get(key), { ...key, state: "taken", by: "one" });
    const next = { expression: "#state = :old", names: { "#state": "state" }, values: { ":old": "taken" } };
    coming = [kind];
    assert.equal(await table.transact([{ type: "update", key, changes: { state: "last" }, condition: next }]), true);
    coming = [kind];
    assert.equal(await table.delete(key), true);
    assert.equal(await table.delete(key), false);
  });
}

test("an object is read to its end over lines that break again and again, and its upload counts once completed", async () => {
  const objects = createObjects(aws.s3, cloud.names.bucket);
  const content = randomBytes(9 * 1024 * 1024);
  const digest = createHash("sha256").update(content).digest("hex");
  // What completes an upload of several parts is a POST, behind the one that began it.
  let posts = 0;
  coming = [
    ({ operation }) => (operation === "POST" && ++posts === 2 ? { kind: "error_after", measure: 0 } : undefined),
  ];
  assert.equal((await objects.put("large", Readable.from([content]))).digest, digest);
  assert.equal(coming.length, 0);
  coming = ["cut_body", "error_before", "cut_body", "cut_body"];
  assert.ok(content.equals(await buffer((await objects.get("large"))!)));
  assert.equal(coming.length, 0);
});

test("an object that is replaced while its line is broken is not mixed with the other, and breaks end", async () => {
  const objects = createObjects(aws.s3, cloud.names.bucket);
  await objects.put("changing", Readable.from([randomBytes(500_000)]));
  coming = ["cut_body"];
  const body = (await objects.get("changing"))!;
  await cloud.aws.s3.send(new PutObjectCommand({ ...place("changing"), Body: randomBytes(500_000) }));
  await assert.rejects(buffer(body), { name: "PreconditionFailed" });
  coming = Array.from({ length: 20 }, () => () => ({ kind: "cut_body" as const, measure: 0 }));
  await assert.rejects(async () => buffer((await objects.get("changing"))!));
  coming = [];
});
