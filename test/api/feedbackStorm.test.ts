/** A storm of feedback over which the API is killed: what it acknowledged is there, and nothing twice. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import type { Feedback } from "../../shared/schemas/feedback.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { addInference } from "../support/records.ts";
import { type ServerProcess, startServer } from "../support/serverProcess.ts";

let cloud: Cloud;
let tenant: Tenant;
let server: ServerProcess;
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "storm");
  server = await startServer({ ...cloud.environment, MILLRACE_PORT: "0" });
});
after(async () => {
  await server?.stop();
  await cloud.close();
});

const connect = () => new OpenAI({ apiKey: tenant.key, baseURL: server.baseURL, maxRetries: 0 });
const inferences = 80;
const callers = 8;
/** So many are acknowledged before the kill. */
const enough = 30;

test("kill -9 loses no feedback that was acknowledged, and what is given again is there once", async () => {
  const ids = await Promise.all(
    Array.from({ length: inferences }, async () => (await addInference(cloud.stores, tenant)).id),
  );
  let client = connect();
  await client.post("/metrics", { body: { name: "solved", type: "boolean", level: "inference", optimize: "max" } });
  const give = (inference_id: string) =>
    client.post("/feedback", { body: { inference_id, metric_name: "solved", value: true } }) as Promise<Feedback>;
  const acknowledged = new Map<string, string>();
  const waiting = [...ids];
  const caller = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const { id: feedback } = await give(id);
      acknowledged.set(id, feedback);
      if (acknowledged.size === enough) server.process.kill("SIGKILL");
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: callers }, caller));
  assert.ok(
    ended.every(({ status }) => status === "rejected"),
    "the storm was over before the kill",
  );
  assert.ok(acknowledged.size >= enough && acknowledged.size < inferences);

  server = await startServer({ ...cloud.environment, MILLRACE_PORT: "0" });
  client = connect();
  const stored = async () => {
    const project = tenant.project.id;
    const rows = await Array.fromAsync(cloud.stores.feedback.stream(project));
    return new Map(rows.map((row) => [row.id, row.inference_id!]));
  };
  const survivors = await stored();
  for (const [inference, feedback] of acknowledged) assert.equal(survivors.get(feedback), inference);
  // Who heard nothing gives it again, and so does somebody who did hear.
  for (const id of ids.slice(0, 50)) await give(id);
  for (const id of acknowledged.keys()) assert.equal((await give(id)).id, acknowledged.get(id));
  for (const id of ids.slice(50)) await give(id);
  const judged = [...(await stored()).values()].sort();
  assert.deepEqual(judged, [...ids].sort());
});
