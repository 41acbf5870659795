/** The log knows a request by the id that its client was given, also where an earlier request asked for the answer. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Deployment, deploy } from "../../support/deployment.ts";

let deployment: Deployment;
before(async () => {
  deployment = await deploy();
});
after(() => deployment.close());

test("an answer and its line of the log bear one id, first and replayed", async () => {
  const metric = JSON.stringify({ name: "solved", type: "boolean", level: "inference", optimize: "max" });
  const headers = { "content-type": "application/json", "idempotency-key": "once" };
  const ids: (string | null)[] = [];
  for (const isReplayed of [false, true]) {
    const response = await deployment.fetch("/v1/metrics", { method: "POST", headers, body: metric });
    assert.equal(response.headers.get("idempotent-replayed"), isReplayed ? "true" : null, await response.text());
    ids.push(response.headers.get("x-request-id"));
  }
  assert.equal(ids[0], ids[1]);
  const logged = deployment.observed.flatMap((event) => (event.type === "answered" ? [event.request_id] : []));
  assert.deepEqual(logged, ids);
});
