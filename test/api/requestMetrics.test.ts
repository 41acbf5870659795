/** The API's figures: few series whoever asks for what, and costs once they are written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { measureCost, measureRequests } from "../../api/requestMetrics.ts";

function counting() {
  const told: string[] = [];
  return { told, add: (name: string, by: string, value = 1) => void told.push(`${name} ${by} ${value}`) };
}

const answered = (path: string, status: number) => ({
  ...{
    type: "answered" as const,
    request_id: "req_1",
    method: "POST",
    path,
    status,
    milliseconds: 7,
    project_id: null,
  },
});

test("requests are told by what runs models, all others together, refusals and errors apart", () => {
  const { told, add } = counting();
  const observe = measureRequests({ add });
  observe(answered("/v1/decisions", 200));
  observe(answered("/v1/files/file-1", 404));
  observe(answered("/v1/no/such/path", 503));
  observe({ type: "failed", request_id: "req_1", cause: new Error("x") });
  assert.deepEqual(told, [
    ...["Requests /v1/decisions 1", "Latency /v1/decisions 7"],
    ...["Requests other 1", "Latency other 7", "Refusals other 1"],
    ...["Requests other 1", "Latency other 7", "Errors other 1"],
  ]);
});

test("what was charged is told when it is durable, and not when it could not be written", async () => {
  const { told, add } = counting();
  const records = [{ nanos: 1_000_000_000 }, { nanos: 500_000_000 }] as never;
  const store = (put: () => Promise<void>) => measureCost({ put } as never, { add });
  await store(async () => assert.deepEqual(told, [])).put("proj_1", records);
  assert.deepEqual(told, ["Cost proj_1 1.5"]);
  await assert.rejects(store(() => Promise.reject(new Error("no"))).put("proj_1", records));
  assert.equal(told.length, 1);
});
