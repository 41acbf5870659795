/** What operators read when something went wrong. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const program = `
  import { createLog } from "${new URL("../../shared/log.ts", import.meta.url)}";
  const log = createLog({ logLevel: "info" }, "test");
  log.error({ error: new TypeError("what went wrong"), api_key: "mr-secret", signing_secret: "mr-secret", made: { signing_secret: "mr-secret" }, request: { authorization: "Bearer mr-secret" } });
  log.info({ err: new Error("why"), status: 500 });
`;

const lines = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
const [first, second] = lines
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

test("errors are logged with message and stack", () => {
  assert.equal(first.error.message, "what went wrong");
  assert.equal(first.error.type, "TypeError");
  assert.match(first.error.stack, /^TypeError: what went wrong\n/);
  assert.equal(second.err.message, "why");
});

test("secrets are not", () => {
  assert.ok(!lines.includes("mr-secret"));
});
