/** Task protection as ECS's agent speaks it: held while there is work, with gaps while it goes on, given up soon after. */
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
/** When, in milliseconds. */
let askedAt: number[];
let warned: object[];
const log = { warn: (told: object) => void warned.push(told) };

beforeEach(async () => {
  [asked, askedAt, refusals, warned] = [[], [], [], []];
  server = createServer(async (request, response) => {
    assert.deepEqual([request.method, request.url], ["PUT", "/api/abc/task-protection/v1/state"]);
    const state = JSON.parse(Buffer.concat(await request.toArray()).toString()) as State;
    const refusal = refusals.shift();
    if (!refusal) {
      asked.push(state);
      askedAt.push(performance.now());
    }
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

test("ends by itself and is asked for again behind a gap, in work without end: who waits for the task gets a turn", async () => {
  // A thousandth of a minute is 60 milliseconds.
  const [minutes, gapMinutes] = [0.001, 0.002];
  const protection = createProtection({ agent, log, minutes, gapMinutes, lingerMilliseconds: 10_000 });
  await protection.hold();
  // One piece of work follows the other, as with a long queue.
  const work = setInterval(() => {
    protection.release();
    void protection.hold();
  }, 5);
  await until(() => asked.length >= 3, { what: "two more times" });
  clearInterval(work);
  assert.deepEqual(asked, [on(minutes), on(minutes), on(minutes)], "never longer than that at a time");
  for (const [i, time] of askedAt.slice(1).entries()) {
    assert.ok(time - askedAt[i]! >= 170, "it had ended before");
  }
  protection.release();
  await protection.end();
  assert.deepEqual(asked.at(-1), off);
});

test("held while it is given up, it is there again before the work begins", async () => {
  const protection = createProtection({ agent, log, minutes: 30, lingerMilliseconds: 0 });
  await protection.hold();
  protection.release();
  await until(() => asked.at(-1)?.ProtectionEnabled === false, { what: "its end" });
  await Promise.all([protection.hold(), protection.hold()]);
  assert.deepEqual(asked, [on(30), off, on(30)]);
  protection.release();
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
