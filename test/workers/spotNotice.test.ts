/** At three in the morning a spot instance is taken back, in the middle of a training: from the notice to another worker. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { spotNoticeScript } from "../../infra/constructs/spotNotice.ts";
import { rowsOf } from "../support/trainingData.ts";
import { until } from "../support/until.ts";
import { openWorkshop, telling, type Workshop } from "../support/workshop.ts";

let shop: Workshop;
let agent: Server;
/** What the worker asked of ECS, in order. */
const protection: boolean[] = [];
before(async () => {
  shop = await openWorkshop();
  agent = createServer(async (request, response) => {
    protection.push(JSON.parse(Buffer.concat(await request.toArray()).toString()).ProtectionEnabled);
    response.end(JSON.stringify({ protection: {} }));
  });
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await shop.close();
  await new Promise((resolve) => agent.close(resolve));
});

/** The instance's programs, as far as the script calls them; each writes down its arguments. */
const programs = {
  sleep: "exec /bin/sleep 0.02",
  curl: `echo "curl $*" >> "$CALLS"
case "$*" in *api/token) echo secret-token ;; *spot/instance-action) [ -e "$NOTICE" ] || exit 22 ;; *) exit 3 ;; esac`,
  docker: `echo "docker $*" >> "$CALLS"
case "$1" in ps) echo container-1 ;; kill) kill -TERM "$WORKER" ;; esac`,
};

/** The script on an instance where one worker runs. */
function startInstance(worker: number) {
  const bin = join(shop.home, "bin");
  mkdirSync(bin);
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const script = join(shop.home, "spot-notice");
  writeFileSync(script, spotNoticeScript);
  const [CALLS, NOTICE] = [join(shop.home, "calls"), join(shop.home, "notice")];
  const env = { PATH: `${bin}:${process.env.PATH}`, CALLS, NOTICE, WORKER: String(worker) };
  const child = spawn("bash", [script], { env, stdio: "ignore" });
  return { calls: CALLS, notice: () => writeFileSync(NOTICE, ""), stop: () => child.kill("SIGKILL") };
}

test("its work is stored and handed over at once, its protection given up, and another worker goes on from there", async () => {
  const id = await shop.submit({ training: rowsOf(100), epochs: 6, batch: 2 });
  const ECS_AGENT_URI = `http://127.0.0.1:${(agent.address() as AddressInfo).port}`;
  const held = shop.gate.hold(telling(id, "training loss"));
  const worker = await shop.work({ ECS_AGENT_URI });
  const step = await held;
  assert.deepEqual(protection, [true], "a deployment does not end it");

  const instance = startInstance(worker.process.pid!);
  await until(() => existsSync(instance.calls), { what: "the instance to look for a notice" });
  step.release();
  await until(async () => (await shop.job(id)).trained_tokens !== null, { what: "the training to go on" });
  assert.equal(worker.process.exitCode, null);
  instance.notice();
  const [code] = await new Promise<[number | null]>((resolve) =>
    worker.process.once("exit", (...end) => resolve([end[0]])),
  );
  instance.stop();
  assert.equal(code, 0);

  const row = await shop.job(id);
  assert.deepEqual([row.status, row.lease, row.failures], ["queued", null, 0]);
  const { step: reached } = row.latest_checkpoint!;
  assert.ok(reached > 0);
  const asked = { QueueUrl: shop.names.queueUrl, VisibilityTimeout: 0 };
  const { Messages = [] } = await shop.aws.sqs.send(new ReceiveMessageCommand(asked));
  assert.deepEqual(
    Messages.map(({ Body }) => JSON.parse(Body!).id),
    [id],
    "visible at once",
  );
  assert.deepEqual(protection, [true, false]);

  await shop.work();
  const again = `Fine-tuning job started again from step ${reached}`;
  const told = async () => (await shop.events(id)).some(({ message }) => message === again);
  await until(told, { what: "another worker", seconds: 20 });
});
