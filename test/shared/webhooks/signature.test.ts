/** Both SDKs verify what we sign, during a rotation with either secret, and refuse what was changed. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hintOf, newSecret, signedHeaders } from "../../../shared/webhooks/signature.ts";
import { sdks } from "../../support/sdks.ts";

const body = '{"id":"evt_1","object":"event","created_at":1,"type":"batch.completed","data":{"id":"batch_é"}}';
const now = () => Math.floor(Date.now() / 1000);

test("the published example of the scheme is reproduced", () => {
  const text = '{"test": 2432232314}';
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const headers = signedHeaders("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, text, [secret]);
  assert.equal(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("secrets are 32 random bytes, and a hint tells four characters of them", () => {
  const secrets = [newSecret(), newSecret()];
  assert.notEqual(secrets[0], secrets[1]);
  for (const secret of secrets) {
    assert.equal(Buffer.from(secret.slice("whsec_".length), "base64").length, 32);
    assert.equal(hintOf(secret), `whsec_…${secret.slice(-4)}`);
  }
});

for (const [version, Sdk] of Object.entries(sdks)) {
  describe(version, () => {
    const { webhooks } = new Sdk({ apiKey: "none" });
    const [earlier, secret] = [newSecret(), newSecret()];

    test("unwraps it with either secret of a rotation", async () => {
      const headers = signedHeaders("evt_1", now(), body, [secret, earlier]);
      for (const one of [secret, earlier]) {
        const event = await webhooks.unwrap(body, headers, one);
        assert.equal(event.data && "id" in event.data && event.data.id, "batch_é");
      }
    });

    test("refuses another secret, another body, another id and an old time", async () => {
      const headers = signedHeaders("evt_1", now(), body, [secret]);
      await assert.rejects(webhooks.unwrap(body, headers, newSecret()));
      await assert.rejects(webhooks.unwrap(body.replace("evt_1", "evt_2"), headers, secret));
      await assert.rejects(webhooks.unwrap(body, { ...headers, "webhook-id": "evt_2" }, secret));
      await assert.rejects(webhooks.unwrap(body, signedHeaders("evt_1", now() - 301, body, [secret]), secret));
    });
  });
}
