/** What answers tell browsers, and whose pages may call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../../api/app.ts";
import type { Services } from "../../../api/services/services.ts";
import { parseConfig } from "../../../shared/config.ts";

const app = createApp({ observe: () => {} } as unknown as Services);
const origin = "https://app.example";
const guarded = createApp({ observe: () => {} } as unknown as Services, { corsOrigins: [origin], hstsSeconds: 600 });

test("answers of all kinds are data: typed, unframed, kept by nobody", async () => {
  for (const path of ["/healthz", "/openapi.json", "/v1/models", "/nowhere/<script>alert(1)</script>"]) {
    const { headers } = await app.request(path);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert.equal(headers.get("cache-control"), "no-store");
    assert.match(headers.get("content-type")!, /^application\/json/, "what was asked for is reflected as no page");
    assert.equal(headers.get("strict-transport-security"), null, "not told of what may have no TLS");
  }
});

test("the reference runs its own scripts alone, and in nobody's frame", async () => {
  const policy = (await app.request("/reference")).headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /script-src|unsafe-eval/);
});

test("TLS is insisted on where the operator says so", async () => {
  assert.equal(
    (await guarded.request("/healthz")).headers.get("strict-transport-security"),
    "max-age=600; includeSubDomains",
  );
});

test("pages of other origins are let in by nobody but the operator", async () => {
  const from = async (one: typeof app, page: string, init: RequestInit = {}) => {
    const { headers } = await one.request("/healthz", { ...init, headers: { ...init.headers, origin: page } });
    return headers.get("access-control-allow-origin");
  };
  const preflight = { method: "OPTIONS", headers: { "access-control-request-method": "PUT" } };
  for (const init of [{}, preflight]) {
    assert.equal(await from(app, "https://any.example", init), "*");
    assert.equal(await from(guarded, origin, init), origin);
    assert.equal(await from(guarded, "https://app.example.evil.example", init), null);
    assert.equal(await from(guarded, "null", init), null);
  }
  const shown = (await app.request("/healthz")).headers.get("access-control-expose-headers")!.split(",");
  for (const name of ["x-request-id", "retry-after-ms", "x-ratelimit-remaining-tokens"])
    assert.ok(shown.includes(name));
  const { headers } = await guarded.request("/healthz", { ...preflight, headers: { ...preflight.headers, origin } });
  assert.match(headers.get("access-control-allow-methods")!, /PUT/);
  assert.match((await guarded.request("/healthz")).headers.get("vary")!, /Origin/, "caches keep answers apart");
});

test("what is no origin is refused at the start", () => {
  const queues = { MILLRACE_QUEUE_URL: "http://127.0.0.1/q", MILLRACE_DEAD_LETTER_QUEUE_URL: "http://127.0.0.1/d" };
  const parse = (origins: string) => parseConfig({ ...queues, MILLRACE_CORS_ORIGINS: origins }).corsOrigins;
  assert.deepEqual(parse("https://a.example, http://127.0.0.1:8080"), ["https://a.example", "http://127.0.0.1:8080"]);
  assert.deepEqual(parseConfig(queues).corsOrigins, ["*"]);
  for (const wrong of ["a.example", "https://a.example/path", "https://a.example/"]) {
    assert.throws(() => parse(wrong), /MILLRACE_CORS_ORIGINS/);
  }
});
