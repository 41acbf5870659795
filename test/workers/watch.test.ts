/** What is told of work, and that a request's trace reaches the worker that does what it asked for. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { MetricName } from "../../shared/telemetry/metrics.ts";
import type { Segment } from "../../shared/telemetry/segments.ts";
import { currentTrace } from "../../shared/telemetry/trace.ts";
import { createWatch, type Received } from "../../workers/watch.ts";
import { jsonl, rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, type Workshop } from "../support/workshop.ts";

const message = { kind: "batch", project_id: "proj_1", id: "batch_1" } as const;
const [id, parent] = ["5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"];
const traceparent = `00-${id}-${parent}-01`;
const received: Received = { sentAt: undefined, receipts: 1, traceparent: undefined };

function watching(lanes = 1) {
  const told: [MetricName, string, number][] = [];
  const segments: Segment[] = [];
  const metrics = { add: (name: MetricName, by: string, value = 1) => void told.push([name, by, value]) };
  const watch = createWatch({ metrics, sendSegment: (segment) => segments.push(segment), queue: "jobs", lanes });
  return { watch, told, segments, of: (name: MetricName) => told.filter(([own]) => own === name) };
}

test("tells what became of work, how long it waited the first time, and of work that failed", async () => {
  const { watch, of } = watching();
  const sentAt = Date.now() - 5000;
  await watch.work(message, { ...received, sentAt }, async () => ({ type: "done" }));
  await watch.work(message, { ...received, sentAt, receipts: 2 }, async () => ({ type: "retry", seconds: 1 }));
  await assert.rejects(watch.work(message, received, async () => Promise.reject(new Error("no"))));
  assert.deepEqual(
    of("Outcomes").map(([, by]) => by),
    ["done", "retry", "failed"],
  );
  assert.equal(of("WorkTime").length, 3);
  const [[, kind, age], ...others] = of("QueueAge") as [[string, string, number]];
  assert.deepEqual([kind, others.length], ["batch", 0]);
  assert.ok(age >= 5000 && age < 60_000);
  watch.stop();
});

test("tells how busy it was also of work that is not over, and never twice", async () => {
  const { watch, of } = watching(2);
  const { promise, resolve } = Promise.withResolvers<{ type: "done" }>();
  const begun = Date.now();
  watch.tellBusy(begun);
  const work = watch.work(message, received, () => promise);
  watch.tellBusy(begun + 10_000);
  watch.tellBusy(begun + 20_000);
  const [first, second] = of("Busy")
    .slice(-2)
    .map(([, , value]) => value);
  // One of two lanes, but for the moment before it began.
  assert.ok(first! > 45 && first! <= 50 && second === 50, `${first} ${second}`);
  resolve({ type: "done" });
  await work;
  watch.stop();
});

test("work belongs to the trace that its message names, and is a segment of it", async () => {
  const { watch, segments } = watching();
  const seen = await watch.work(message, { ...received, traceparent }, async () => {
    assert.deepEqual(currentTrace(), { id, parent, sampled: true });
    return { type: "buried", cause: "x" };
  });
  assert.equal(seen.type, "buried");
  const [segment] = segments;
  assert.deepEqual([segment?.trace.id, segment?.fault], [id, true]);
  assert.deepEqual(segment?.annotations, message);
  await watch.work(message, received, async () => ({ type: "done" }));
  assert.equal(segments.length, 1);
  watch.stop();
});

let shop: Workshop;
before(async () => {
  shop = await openWorkshop();
});
after(() => shop.close());

test("from the request through the queue to the worker: X-Ray's daemon is told of the job's work in the request's trace", async () => {
  const daemon = createSocket("udp4");
  daemon.bind(0, "127.0.0.1");
  await once(daemon, "listening");
  const datagrams: string[] = [];
  daemon.on("message", (datagram) => datagrams.push(datagram.toString()));
  try {
    const { port } = daemon.address() as AddressInfo;
    await shop.work({ AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${port}` });
    const file = new File([jsonl(rowsOf(4))], "train.jsonl");
    const training_file = (await shop.client().files.create({ file, purpose: "fine-tune" })).id;
    const headers = { "x-amzn-trace-id": `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${parent};Sampled=1` };
    const job = await shop
      .client({ defaultHeaders: headers })
      .fineTuning.jobs.create({ model: "millrace-ngram", training_file });
    await shop.finished(job.id);
    const segment = await until(() => datagrams.find((each) => each.includes(job.id)), { what: "the segment" });
    const [head, document] = segment.split("\n") as [string, string];
    assert.deepEqual(JSON.parse(head), { format: "json", version: 1 });
    const { trace_id, parent_id, name, start_time, end_time, fault, annotations } = JSON.parse(document);
    assert.deepEqual([trace_id, parent_id], [`1-${id.slice(0, 8)}-${id.slice(8)}`, parent]);
    assert.deepEqual([name, fault, annotations.kind], ["millrace-worker", false, "fine_tuning_job"]);
    assert.ok(end_time >= start_time && Math.abs(start_time - Date.now() / 1000) < 120);
  } finally {
    daemon.close();
  }
});
