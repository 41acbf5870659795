/** Every route says which key opens it, and none is listed that is not there. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessTo, listedRoutes } from "../../api/access.ts";
import { createApp } from "../../api/app.ts";
import type { Services } from "../../api/services/services.ts";
import { scopes } from "../../shared/schemas/apiKey.ts";
import { newApiKey } from "../../shared/stores/apiKeys.ts";
import { refused } from "../support/contract.ts";
import { type Deployment, deploy } from "../support/deployment.ts";

const app = createApp({} as Services);
const routes = app.openAPIRegistry.definitions.flatMap((definition) =>
  definition.type === "route" ? [{ ...definition.route, method: definition.route.method.toUpperCase() }] : [],
);
/** Those that say themselves that they ask for no key. */
const open = routes.filter(({ security }) => security?.length === 0);
const closed = routes.filter(({ security }) => security?.length !== 0);
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

test("every route is listed in api/access.ts, and no other", () => {
  assert.deepEqual(listedRoutes().sort(), closed.map(nameOf).sort());
});

test("nothing that is open to all lies behind /v1", () => {
  assert.deepEqual(open.filter(({ path }) => path.startsWith("/v1/")).map(nameOf), []);
});

test("what administers an organization is open to its admin keys, and of a project's keys at most to read and admin", () => {
  for (const { method, path } of closed) {
    const access = accessTo(method, path);
    const isOrganizations = path.startsWith("/v1/organization/") || path.endsWith("/permissions");
    if (isOrganizations) assert.ok(access.includes("organization"), nameOf({ method, path }));
    else if (!path.includes("/permissions/")) assert.ok(!access.includes("organization"), nameOf({ method, path }));
  }
});

test("looking never takes more than `read`, but for work that is handed out", () => {
  const looks = closed.filter(
    ({ method, path }) => method === "GET" && !accessTo(method, path).includes("organization"),
  );
  const others = looks.filter(({ method, path }) => !accessTo(method, path).includes("read")).map(nameOf);
  assert.deepEqual(others, ["GET /v1/label_queue", "GET /v1/answers/{id}"]);
});

test("a route that nobody listed takes the scope `admin`", () => {
  assert.deepEqual(accessTo("POST", "/v1/unheard_of"), ["admin"]);
});

describe("a key that is not for it", () => {
  let deployment: Deployment;
  before(async () => {
    deployment = await deploy();
  });
  after(() => deployment.close());

  const send = (method: string, path: string, key: string) =>
    deployment.fetch(path.replaceAll(/\{\w+\}/g, "x"), { method, key });

  test("is 403 everywhere, whatever else is wrong, and hears which scope is missing", async () => {
    for (const { method, path } of closed) {
      const access = accessTo(method, path);
      const lacking = scopes.filter((scope) => !access.includes(scope));
      const { secret, record } = newApiKey({ name: "x", project_id: deployment.a.project.id, scopes: lacking });
      await deployment.stores.apiKeys.create(record);
      const asked = scopes.filter((scope) => access.includes(scope));
      const code = asked.length ? "missing_scope" : "admin_key_required";
      const { message } = await refused(await send(method, path, secret), { status: 403, code });
      for (const scope of asked) assert.ok(message.includes(`'${scope}'`), message);
    }
  });

  test("is 403 where it is an admin key and a project is asked for", async () => {
    for (const { method, path } of closed.filter(
      ({ method, path }) => !accessTo(method, path).includes("organization"),
    )) {
      await refused(await send(method, path, deployment.a.adminKey), { status: 403, code: "project_key_required" });
    }
  });
});
