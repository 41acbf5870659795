/** A sealed value opens where it was sealed, under the key that sealed it, as it was. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import type { OpenKey } from "../../../shared/encryption/organizationKeys.ts";
import { openValue, sealValue, versionOf } from "../../../shared/encryption/sealedValues.ts";

const newKey = (version = 1): OpenKey => ({ organization: "org", version, bytes: randomBytes(32) });
const place = '["proj_a#feedback","feedback_1","value"]';

describe("a sealed value", () => {
  it("is what was sealed, of any size and script, also for a process that derives its own keys", () => {
    const key = newKey(7);
    const elsewhere = { ...key, bytes: Buffer.from(key.bytes) };
    for (const text of ["", "a", "卡丢了 🙂", "x".repeat(300_000)]) {
      const sealed = sealValue(key, place, text);
      assert.equal(versionOf(sealed), 7);
      assert.equal(openValue(elsewhere, place, sealed), text);
      assert.ok(sealed.length <= Buffer.byteLength(text) + 50);
    }
  });

  it("tells nothing by its bytes: the same twice is sealed differently", () => {
    const key = newKey();
    const [one, other] = [sealValue(key, place, "the same"), sealValue(key, place, "the same")];
    assert.ok(!one.equals(other));
    assert.ok(!one.includes("the same"));
  });

  it("does not open at another place, under another key, or where a bit was changed", () => {
    const key = newKey();
    const sealed = sealValue(key, place, "mine");
    assert.throws(() => openValue(key, '["proj_a#feedback","feedback_2","value"]', sealed), /for another place/);
    assert.throws(() => openValue(newKey(), place, sealed), /does not open/);
    for (let at = 5; at < sealed.length; at++) {
      const harmed = Buffer.from(sealed);
      harmed.writeUInt8(harmed[at]! ^ 1, at);
      assert.throws(() => openValue(key, place, harmed), `byte ${at}`);
    }
  });

  it("of another form is refused, not misread", () => {
    assert.throws(() => versionOf(Buffer.alloc(100, 9)), /no known form/);
    assert.throws(() => versionOf(Buffer.from([1, 0, 0])), /no known form/);
  });
});
