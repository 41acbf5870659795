/** A sealed secret opens with its key, for its row, unchanged; or not at all. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createSealer } from "../../../shared/webhooks/sealer.ts";

const [key, newKey] = [randomBytes(32), randomBytes(32)];
const sealer = createSealer([key]);

test("it opens, though two seals of the same secret are never the same", () => {
  const [a, b] = [sealer.seal("whsec_é", "x"), sealer.seal("whsec_é", "x")];
  assert.notEqual(a, b);
  assert.ok(!a.includes("whsec"));
  assert.deepEqual([sealer.open(a, "x"), sealer.open(b, "x")], ["whsec_é", "whsec_é"]);
});

test("it does not open for another row, changed, or cut", () => {
  const sealed = sealer.seal("secret", "webhook:proj_a:whe_1");
  assert.throws(() => sealer.open(sealed, "webhook:proj_a:whe_2"));
  const [version, name, content] = sealed.split(".") as [string, string, string];
  const bytes = Buffer.from(content, "base64url");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    const whole = `${version}.${name}.${changed.toString("base64url")}`;
    assert.throws(() => sealer.open(whole, "webhook:proj_a:whe_1"), `byte ${at}`);
    const cut = `${version}.${name}.${bytes.subarray(0, at).toString("base64url")}`;
    assert.throws(() => sealer.open(cut, "webhook:proj_a:whe_1"), `cut at ${at}`);
  }
});

test("keys change without a stop: the first seals, all open", () => {
  const sealed = sealer.seal("secret", "x");
  const both = createSealer([newKey, key]);
  assert.equal(both.open(sealed, "x"), "secret");
  assert.equal(createSealer([newKey]).open(both.seal("secret", "x"), "x"), "secret");
  assert.throws(() => createSealer([newKey]).open(sealed, "x"), /MILLRACE_SECRET_KEYS/);
  assert.throws(() => createSealer([]).seal("secret", "x"), /MILLRACE_SECRET_KEYS/);
});
