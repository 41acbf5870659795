/** Task protection as ECS's agent speaks it: held while there is work, renewed while it goes on, given up soon after. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { createProtection } from "../../workers/protection.ts";
import { until } from "../support/until.ts";

interface State {
  ProtectionEnabled: boolean;
  ExpiresInMinutes?: number;
}

let server: Server;
let agent: string;
/** What was asked for, in order. */
let asked: State[];
/** How the agent answers next, if not as it should. */
let refusals: { status: number; body: object }[];
let warned: object[];
const log = { warn: (told: object) => void warned.push(told) };

beforeEach(async () => {
  [asked, refusals, warned] = [[], [], []];
  server = createServer(async (request, response) => {
    assert.deepEqual([request.method, request.url], ["PUT", "/api/abc/task-protection/v1/state"]);
    const state = JSON.parse(Buffer.concat(await request.toArray()).toString()) as State;
    const refusal = refusals.shift();
    if (!refusal) asked.push(state);
    const TaskArn = "arn:aws:ecs:eu-central-1:123456789012:task/millrace/1234567890abcdef0";
    const protection = { ProtectionEnabled: state.ProtectionEnabled, ExpirationDate: "2026-12-20T21:57:44Z", TaskArn };
    response.writeHead(refusal?.status ?? 200, { "content-type": "application/json" });
    response.end(JSON.stringify(refusal?.body ?? { protection }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  agent = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/abc`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const on = (minutes: number) => ({ ProtectionEnabled: true, ExpiresInMinutes: minutes });
const off = { ProtectionEnabled: false };

test("is there before work begins, once for work that overlaps or follows closely, and gone when none has come", async () => {
  const protection = createProtection({ agent, log, minutes: 30, lingerMilliseconds: 50 });
  await protection.hold();
  assert.deepEqual(asked, [on(30)]);
  await protection.hold();
  protection.release();
  protection.release();
  await protection.hold();
  protection.release();
  await until(() => asked.length === 2, { what: "the protection to be given up" });
  assert.deepEqual(asked, [on(30), off]);
  await protection.hold();
  assert.deepEqual(asked, [on(30), off, on(30)]);
  await protection.end();
  assert.deepEqual(asked.at(-1), off);
});

test("is renewed for as long as the work lasts", async () => {
  // Half of a thousandth of a minute is 30 milliseconds.
  const protection = createProtection({ agent, log, minutes: 0.001, lingerMilliseconds: 10 });
  await protection.hold();
  await until(() => asked.length >= 4, { what: "three renewals" });
  assert.ok(asked.every(({ ProtectionEnabled }) => ProtectionEnabled));
  protection.release();
  await until(() => asked.at(-1)?.ProtectionEnabled === false, { what: "its end" });
  await protection.end();
});

test("work goes on where it is refused, and it is asked for again", async () => {
  const failure = { Arn: "arn", Reason: "TASK_NOT_VALID", Detail: "the task is of no service" };
  refusals.push({ status: 200, body: { failure } }, { status: 400, body: { error: { Code: "ThrottlingException" } } });
  const protection = createProtection({ agent, log, minutes: 0.001, lingerMilliseconds: 10 });
  await protection.hold();
  assert.equal(warned.length, 1);
  await until(() => asked.length > 0, { what: "it to be protected" });
  assert.equal(warned.length, 2);
  protection.release();
  await protection.end();
});

test("work begins soon where the agent does not answer", async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  const protection = createProtection({ agent: `http://127.0.0.1:${port}`, log, timeoutMilliseconds: 50 });
  await protection.hold();
  assert.equal(warned.length, 1);
  protection.release();
  await protection.end();
  silent.closeAllConnections();
  silent.close();
});

test("nobody is asked where there is no ECS", async () => {
  const protection = createProtection({ agent: undefined, log });
  await protection.hold();
  protection.release();
  await protection.end();
  assert.deepEqual(asked, []);
});
