/** Wherever keys are kept: what is wrapped opens with the same key and the same binding alone, until the key is destroyed. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createKeyDirectory } from "../../../shared/encryption/keyDirectory.ts";
import { KeyGone, type KeyProvider, KeyUnavailable, parseEncryption } from "../../../shared/encryption/keyProvider.ts";
import { createKmsKeys } from "../../../shared/encryption/kmsKeys.ts";
import { type KmsServer, startKms } from "../../support/kms.ts";

let kms: KmsServer;
let directory: string;
const binding = { organization: "org-a", version: "1" };

before(async () => {
  kms = await startKms();
  directory = await mkdtemp(join(tmpdir(), "millrace-test-"));
  Object.assign(process.env, {
    ...{ AWS_ENDPOINT_URL_KMS: kms.url, AWS_REGION: "us-east-1" },
    ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
  });
});
after(async () => {
  delete process.env.AWS_ENDPOINT_URL_KMS;
  await Promise.all([kms.close(), rm(directory, { recursive: true })]);
});

const providers: Record<string, () => KeyProvider> = {
  "a directory": () => createKeyDirectory(directory),
  KMS: () => createKmsKeys("tests"),
};

for (const [name, open] of Object.entries(providers)) {
  describe(`keys in ${name}`, () => {
    it("opens what it wrapped, in another process too", async () => {
      const key = await open().create("org-a", 1);
      const { plain, wrapped } = await open().generate(key, binding);
      assert.equal(plain.length, 32);
      assert.ok(!wrapped.includes(plain));
      assert.deepEqual(await open().unwrap(key, wrapped, binding), plain);
    });

    it("opens nothing with another binding, another key, or a bit that was changed", async () => {
      const provider = open();
      const key = await provider.create("org-a", 1);
      const { wrapped } = await provider.generate(key, binding);
      await assert.rejects(provider.unwrap(key, wrapped, { ...binding, organization: "org-b" }));
      await assert.rejects(provider.unwrap(await provider.create("org-b", 1), wrapped, binding));
      wrapped.writeUInt8(wrapped.at(-1)! ^ 1, wrapped.length - 1);
      await assert.rejects(provider.unwrap(key, wrapped, binding));
    });

    it("says of what it destroyed that it is gone, once that is for good, and destroys it twice without a word", async () => {
      const provider = open();
      const key = await provider.create("org-a", 1);
      const { wrapped } = await provider.generate(key, binding);
      await provider.destroy(key);
      // Until then KMS would take its deletion back.
      if (name === "KMS") {
        await assert.rejects(provider.unwrap(key, wrapped, binding), KeyUnavailable);
        await provider.destroy(key);
        kms.keys.delete(key);
      }
      await assert.rejects(provider.unwrap(key, wrapped, binding), KeyGone);
      await provider.destroy(key);
    });
  });
}

describe("a key that is", () => {
  it("a file is its user's alone, and of no use where others may read it", async () => {
    const provider = createKeyDirectory(directory);
    const key = await provider.create("org-file", 1);
    const path = join(directory, key);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, "org-file"))).mode & 0o777, 0o700);
    await chmod(path, 0o640);
    await assert.rejects(provider.generate(key, binding), /open to others than its user/);
    await provider.destroy(key);
    assert.deepEqual(await readdir(join(directory, "org-file")), []);
  });

  it("named to lead out of its directory is refused", async () => {
    await assert.rejects(createKeyDirectory(directory).generate("../../etc/passwd", binding), /names no key/);
  });

  it("kept from us in KMS for a while is not gone, and does not count as destroyed", async () => {
    const provider = createKmsKeys("tests");
    const key = await provider.create("org-a", 1);
    const { plain, wrapped } = await provider.generate(key, binding);
    for (const state of ["Disabled", "Denied", "Unreachable", "PendingDeletion"] as const) {
      kms.keys.get(key)!.state = state;
      await assert.rejects(provider.unwrap(key, wrapped, binding), KeyUnavailable, state);
    }
    kms.keys.get(key)!.state = "Enabled";
    assert.deepEqual(await provider.unwrap(key, wrapped, binding), plain);
  });

  it("out of reach is not gone", async () => {
    const { AWS_ENDPOINT_URL_KMS } = process.env;
    process.env.AWS_ENDPOINT_URL_KMS = "http://127.0.0.1:1";
    const provider = createKmsKeys("tests");
    const asked = provider.create("org-a", 1);
    await assert.rejects(asked, KeyUnavailable);
    process.env.AWS_ENDPOINT_URL_KMS = AWS_ENDPOINT_URL_KMS;
  });

  it("in KMS tells by its tags what it is for", async () => {
    const key = await createKmsKeys("tests").create("org-a", 3);
    assert.deepEqual(kms.keys.get(key)!.tags, { millrace: "tests", organization: "org-a", version: "3" });
  });

  it("to be found where a setting says, says so as file: or kms:", () => {
    assert.deepEqual(parseEncryption("kms:prod"), { provider: "kms", at: "prod" });
    assert.deepEqual(parseEncryption("file:/keys"), { provider: "file", at: "/keys" });
    assert.equal(parseEncryption("/keys"), undefined);
  });
});
