/** The doctor finds what `npm start` runs to be well, and sees each fault that is planted in front of it. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { answers } from "../../../infra/doctor/checks/answers.ts";
import { files } from "../../../infra/doctor/checks/files.ts";
import { isolation } from "../../../infra/doctor/checks/isolation.ts";
import { training } from "../../../infra/doctor/checks/training.ts";
import { listen, webhooks } from "../../../infra/doctor/checks/webhooks.ts";
import { checks } from "../../../infra/doctor/checks.ts";
import { type Checks, examine } from "../../../infra/doctor/examine.ts";
import { meet } from "../../../infra/doctor/patient.ts";
import type { LocalState } from "../../../infra/local/state.ts";
import { type Fault, startFaultyProxy } from "../../support/faultyProxy.ts";
import { until } from "../../support/until.ts";

const program = (path: string) => fileURLToPath(new URL(`../../../infra/${path}`, import.meta.url));

let home: string;
let millrace: ChildProcess;
let state: LocalState;
let adminKey: string;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "millrace-doctor-"));
  const own = { MILLRACE_HOME: home, MILLRACE_DEVICE_THREADS: "1", MILLRACE_WEBHOOK_LOCAL: "true" };
  millrace = spawn(process.execPath, [program("local/start.ts")], {
    env: { ...process.env, ...own },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  millrace.stdout!.on("data", (chunk) => (output += chunk));
  await until(() => output.includes("Millrace is up"), { what: "it to be up", seconds: 60 });
  state = JSON.parse(await readFile(join(home, "local.json"), "utf8")) as LocalState;
  adminKey = /admin key +(\S+)/.exec(output)![1]!;
});
after(async () => {
  const ended = once(millrace, "exit");
  millrace.kill("SIGTERM");
  await ended;
  await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

test("what `npm start` runs is well: every check passes, and the command ends with 0", async () => {
  const options = ["--admin-key", adminKey, "--samples", "5", "--json"];
  const env = { ...process.env, MILLRACE_HOME: home };
  const { stdout } = await promisify(execFile)(process.execPath, [program("doctor/main.ts"), ...options], { env });
  const { findings } = JSON.parse(stdout) as { findings: { check: string; status: string; detail: string }[] };
  assert.deepEqual(
    findings.filter(({ status }) => status !== "ok"),
    [],
  );
  assert.deepEqual(
    findings.map(({ check }) => check),
    [...Object.keys(checks), "clean up"],
  );
});

/** What the doctor says of a deployment with the fault: only what did not pass. */
async function examined(fault: Fault, chosen: Checks, otherKey?: string) {
  const proxy = await startFaultyProxy(new URL(state.base_url).origin, fault);
  try {
    const keys = { key: state.api_key, ...(otherKey ? { otherKey } : { adminKey }) };
    const patience = { patienceSeconds: 60, webhookPatienceSeconds: 3 };
    const patient = meet({ baseUrl: `${proxy.origin}/v1`, ...keys, ...patience, samples: 1 });
    const findings = await examine(patient, chosen, () => {});
    return findings.filter(({ status }) => status !== "ok").map(({ check, detail }) => ({ check, detail }));
  } finally {
    await proxy.close();
  }
}

const swap = (body: string) => body.replaceAll("delivery", "billing");

test("a project that is shown what another has, decisions that are wrong and webhooks that do not come are each seen", async () => {
  const fault: Fault = {
    request(passing) {
      const { method, path, headers, body } = passing;
      // Whoever asks for a job's events is taken for the first project.
      if (/^\/v1\/fine_tuning\/jobs\/[^/]+\/events/.test(path)) headers.set("authorization", `Bearer ${state.api_key}`);
      const isOwn = path === "/v1/webhook_endpoints" && method === "POST";
      if (isOwn) passing.body = body.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:9");
    },
    answer: ({ path }, body) => (path === "/v1/decisions" ? swap(body) : body),
  };
  const [decided, ...others] = await examined(fault, {
    ...{ ...files, ...listen, ...training, ...answers, ...isolation, ...webhooks },
  });
  assert.equal(decided?.check, "decisions are right");
  assert.match(decided.detail, /is billing, not delivery/);
  const [isolated, told] = [Object.keys(isolation)[0], Object.keys(webhooks)[0]];
  assert.deepEqual(others, [
    { check: isolated, detail: "another project may read a job's events: it succeeded" },
    { check: told, detail: "waited 3 s in vain for the delivery" },
  ]);
});

test("a stream of another text, and a second key of the same project for another's, are seen", async () => {
  const fault: Fault = {
    answer({ path, body }, answer) {
      const streams = path === "/v1/chat/completions" && body.includes('"stream":true');
      return streams ? swap(answer) : answer;
    },
  };
  const found = await examined(fault, { ...files, ...training, ...answers, ...isolation }, state.api_key);
  assert.deepEqual(found, [
    { check: "chat answers and streams the same", detail: "it streams billing, not delivery" },
    { check: Object.keys(isolation)[0], detail: "another project may read a file: it succeeded" },
  ]);
});

test("the command ends with 1 when something failed, and with 2 when it is not told where to look", async () => {
  const run = (options: string[], MILLRACE_HOME: string) =>
    promisify(execFile)(process.execPath, [program("doctor/main.ts"), ...options], {
      env: { ...process.env, MILLRACE_HOME },
    }).then(
      () => assert.fail("it found everything well"),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  const nobody = await run(["--base-url", state.base_url, "--key", "sk-nobody", "--patience", "1"], home);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /FAILED +lists pages .*401/);
  const nowhere = await run([], join(home, "nothing"));
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /Usage:/);
});
