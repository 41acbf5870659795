/** Several processes on one table let through what one would, though one of them dies with what it holds. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CreatedProjectApiKey } from "../../shared/schemas/apiKey.ts";
import { type Deployment, deploy } from "../support/deployment.ts";
import { make } from "../support/organizations.ts";
import { type ServerProcess, startServer } from "../support/serverProcess.ts";

let here: Deployment;
let there: ServerProcess;
let dying: ServerProcess;
before(async () => {
  here = await deploy();
  [there, dying] = await Promise.all([startServer(here.environment), startServer(here.environment)]);
});
after(async () => {
  dying?.process.kill("SIGKILL");
  await there?.stop();
  await here?.close();
});

const limit = 300;
/** Two shares of the one that dies, and the room that shares leave free. */
const stranded = limit / 15;

test("they race for one limit, and never is more let through than it and what comes back meanwhile", async () => {
  const project = (await make(here, "projects", { name: "raced" })).id;
  const { value } = await make<CreatedProjectApiKey>(here, `projects/${project}/api_keys`, { name: "raced" });
  await make(here, `projects/${project}/rate_limits/rl-project`, { max_requests_per_1_minute: limit });
  const headers = { authorization: `Bearer ${value}` };
  const ask = async ({ baseURL }: { baseURL: string }) => {
    const { status } = await fetch(`${baseURL}/files`, { headers });
    assert.ok(status === 200 || status === 429, String(status));
    return status === 200 ? 1 : 0;
  };
  const started = Date.now();
  let through = 0;
  let asked = 0;
  const flood = async (on: { baseURL: string }, requests: number) => {
    for (let i = 0; i < requests; i++) {
      asked++;
      const got = await ask(on);
      through += got;
    }
  };
  // One after the other on each line, so that all of them hold shares.
  await Promise.all([here, there, dying].map((each) => flood(each, 25)));
  assert.equal(through, 75);
  await dying.stop("SIGKILL");
  await Promise.all([here, there].flatMap((each) => Array.from({ length: 4 }, () => flood(each, 75))));
  const minutes = (Date.now() - started) / 60_000;
  assert.ok(asked > limit * (1 + minutes), "more was asked for than there is");
  assert.ok(through <= limit * (1 + minutes), `${through} were let through in ${minutes} minutes`);
  assert.ok(through >= limit - stranded, `${through} were let through, the rest went with the dead`);
});
