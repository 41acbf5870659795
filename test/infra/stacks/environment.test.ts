/** What processes may be told reaches them: by the stacks, by images, or by the operator. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decided } from "../../../infra/constructs/options.ts";
import { Environment, parseConfig } from "../../../shared/config.ts";
import { asDeployed, computes } from "../../support/computes.ts";
import { synthesise } from "../../support/stacks.ts";

/** Set by images and by ECS, or for nobody on AWS. */
const elsewhere: Record<string, string> = {
  ECS_AGENT_URI: "ECS sets it",
  MILLRACE_HEALTH_FILE: "workers/Dockerfile",
  MILLRACE_HOST: "api/Dockerfile",
  MILLRACE_PORT: "api/Dockerfile",
  MILLRACE_WEBHOOK_LOCAL: "would let customers' webhooks into the network",
};

test("whatever a process may be told, a deployment tells it or lets its operator do so", () => {
  const tellsAll = { prices: "shared/pricing/prices.json", moderationModel: "m", organizationKeys: "true" };
  const set = new Set(computes(synthesise(tellsAll)).flatMap(({ environment }) => Object.keys(environment)));
  for (const name of Object.keys(Environment.shape)) {
    const where = elsewhere[name];
    if (where?.endsWith("Dockerfile")) {
      const file = readFileSync(new URL(`../../../${where}`, import.meta.url), "utf8");
      assert.ok(file.includes(`${name}=`), `${where} sets ${name}`);
    }
    const ways = [set.has(name), where !== undefined, !decided.includes(name)];
    assert.ok(ways.includes(true), `nobody can set ${name}`);
    assert.equal(set.has(name) && where !== undefined, false, name);
  }
});

test("an operator's variables and prices reach all that runs; what others decide is refused by name", () => {
  const environment = { MILLRACE_MAX_REQUESTS_PER_MINUTE: "60", MILLRACE_CORS_ORIGINS: "https://app.example" };
  const prices = "shared/pricing/prices.json";
  const found = computes(synthesise({ environment: JSON.stringify(environment), prices }));
  for (const { id, environment: set } of found) {
    const parsed = parseConfig({ ...asDeployed(set), MILLRACE_DEVICE: "cpu" });
    assert.deepEqual([parsed.limits.max_requests_per_1_minute, parsed.corsOrigins], [60, ["https://app.example"]], id);
    assert.equal(set.MILLRACE_PRICES, prices, id);
  }
  const wrong = { MILLRACE_TABLE: "mine", MILLRACE_NOTHING: "1" };
  assert.throws(
    () => synthesise({ environment: JSON.stringify(wrong) }),
    ({ message }: Error) =>
      /MILLRACE_TABLE follows from other choices/.test(message) && /MILLRACE_NOTHING is no variable/.test(message),
  );
  assert.throws(() => synthesise({ environment: "{" }), /environment/);
  assert.throws(() => synthesise({ prices: "shared/none.json" }), /no such file/);
});
