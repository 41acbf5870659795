/** The API as a process: it says where it listens, and stops without dropping what it has begun. */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { after, before, test } from "node:test";
import { type Cloud, createTenant, openCloud, type Tenant } from "../support/deployment.ts";
import { end, field, fileHead, multipartType } from "../support/multipart.ts";
import { startServer } from "../support/serverProcess.ts";

let cloud: Cloud;
let tenant: Tenant;
before(async () => {
  cloud = await openCloud();
  tenant = await createTenant(cloud.stores, "acme");
});
after(() => cloud.close());

test("serves at the port it tells its parent, and ends with 0 on SIGTERM and SIGINT", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const server = await startServer(cloud.environment);
    const response = await fetch(`${server.baseURL}/models`, { headers: { authorization: `Bearer ${tenant.key}` } });
    assert.equal(response.status, 200);
    assert.equal(await server.stop(signal), 0);
  }
});

test("an upload under way when the server is told to stop is finished and answered", async () => {
  const server = await startServer(cloud.environment);
  const upload = request(`${server.baseURL}/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${tenant.key}`, "content-type": multipartType },
    agent: new Agent({ keepAlive: true }),
  });
  const answered = new Promise<number>((resolve, reject) => {
    upload.on("error", reject).on("response", (response) => resolve(response.resume().statusCode ?? 0));
  });
  await new Promise((resolve) => upload.write(field("purpose", "fine-tune") + fileHead(), resolve));
  // A second request is answered only after the first one's bytes were taken from its socket.
  await fetch(server.baseURL);
  const stopped = server.stop();
  await refusedConnections(server.baseURL);
  upload.end(`{}\r\n${end}`);
  assert.equal(await answered, 200);
  const answeredAt = performance.now();
  assert.equal(await stopped, 0);
  assert.ok(performance.now() - answeredAt < 5000, "a connection that is merely kept alive holds nobody up");
});

test("a request that does not end is waited for as long as the container has, and no longer", async () => {
  const server = await startServer({ ...cloud.environment, MILLRACE_STOP_SECONDS: "0.3" });
  const headers = { authorization: `Bearer ${tenant.key}`, "content-type": multipartType };
  const upload = request(`${server.baseURL}/files`, { method: "POST", headers });
  const broken = new Promise((resolve) => upload.on("error", resolve));
  await new Promise((resolve) => upload.write(field("purpose", "fine-tune") + fileHead(), resolve));
  await fetch(server.baseURL);
  assert.equal(await server.stop(), 0);
  await broken;
});

test("a wrong environment is told by name, before anything listens", async () => {
  await assert.rejects(startServer({ ...cloud.environment, MILLRACE_QUEUE_URL: "" }), /ended with 1/);
});

async function refusedConnections(url: string): Promise<void> {
  for (;;) {
    const open = await fetch(url).then(
      () => true,
      () => false,
    );
    if (!open) return;
  }
}
