/** The reference page works with no network but ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../../api/app.ts";
import type { Services } from "../../../api/services/services.ts";

const app = createApp({ observe: () => {} } as unknown as Services);

test("the page and its start script name no other origin", async () => {
  const html = await (await app.request("/reference")).text();
  const start = await (await app.request("/reference/start.js")).text();
  for (const text of [html, start]) assert.doesNotMatch(text, /https?:|\/\/\w/);
});

test("everything the page asks for is there, with its type", async () => {
  const html = await (await app.request("/reference")).text();
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
  assert.equal(paths.length, 4);
  for (const path of [...paths, "/openapi.json"]) {
    const response = await app.request(path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-type")!, /javascript|css|png|json/);
    assert.ok((await response.arrayBuffer()).byteLength > 0);
  }
});

test("scripts and styles of others are forbidden to the page", async () => {
  const policy = (await app.request("/reference")).headers.get("content-security-policy");
  assert.match(policy!, /default-src 'self'/);
});

test("nothing else of the package, or of the disk, is served", async () => {
  for (const name of ["package.json", "..%2f..%2fpackage.json", "swagger-ui.js.map", "constructor", "__proto__"]) {
    const response = await app.request(`/reference/${name}`);
    assert.ok([400, 404].includes(response.status), `${name}: ${response.status}`);
  }
});
