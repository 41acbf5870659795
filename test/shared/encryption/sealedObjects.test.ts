/** What lies in the bucket opens for the project it was stored by, where it was stored, whole and as it was, and only while the key is there. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { createStores, type Stores } from "../../../shared/stores/stores.ts";
import { type Cloud, createTenant, openCloud, type Tenant } from "../../support/deployment.ts";
import { type KmsServer, startKms } from "../../support/kms.ts";
import { until } from "../../support/until.ts";

const marker = "MARKER-7f3a-in-plain-sight";
const asJson = Buffer.from(JSON.stringify({ marker }));
const none = () => [];

let kms: KmsServer;
let cloud: Cloud;
let a: Tenant;
let b: Tenant;

before(async () => {
  kms = await startKms();
  process.env.AWS_ENDPOINT_URL_KMS = kms.url;
  cloud = await openCloud(() => "kms:tests");
  [a, b] = await Promise.all([createTenant(cloud.stores, "acme"), createTenant(cloud.stores, "other")]);
});
after(async () => {
  delete process.env.AWS_ENDPOINT_URL_KMS;
  await cloud.close();
  await kms.close();
});

const keyOf = (tenant: Tenant, file: string) => objectKeys.file(tenant.project.id, file);
const put = (key: string, bytes: Buffer, { objects }: Stores = cloud.stores) =>
  objects.put(key, Readable.from([bytes]));
const read = async (key: string, { objects }: Stores = cloud.stores) => buffer((await objects.get(key))!);
const otherProcess = (sealed = true) =>
  createStores(cloud.aws, { ...cloud.names, encryption: sealed ? { provider: "kms", at: "tests" } : undefined });

async function raw(Key: string): Promise<Buffer> {
  const { Body } = await cloud.aws.s3.send(new GetObjectCommand({ Bucket: cloud.names.bucket, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}
const overwrite = (Key: string, Body: Buffer) =>
  cloud.aws.s3.send(new PutObjectCommand({ Bucket: cloud.names.bucket, Key, Body }));

function holdsMarker(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => readFileSync(path).includes(marker));
}

describe("a sealed object", () => {
  it("is what was put, of every size, and its size and digest are those of what was put", async () => {
    for (const bytes of [0, 1, 65_535, 65_536, 9 * 1024 * 1024]) {
      const content = Buffer.alloc(bytes, "abc");
      const stored = await put(keyOf(a, `size-${bytes}`), content);
      assert.equal(stored.bytes, bytes);
      assert.ok((await read(keyOf(a, `size-${bytes}`))).equals(content), `${bytes} bytes`);
    }
  });

  it("leaves nothing on the disk that could be read", async () => {
    await put(keyOf(a, "marked"), asJson);
    assert.deepEqual(holdsMarker(cloud.home), []);
    const plain = otherProcess(false);
    await put(keyOf(a, "plain"), asJson, plain);
    assert.notDeepEqual(holdsMarker(cloud.home), [], "the search finds nothing at all");
    await plain.objects.delete(keyOf(a, "plain"));
  });

  it("opens in another process, and KMS is asked once, not for each object", async () => {
    const names = Array.from({ length: 20 }, (_, index) => keyOf(a, `many-${index}`));
    await Promise.all(names.map((name) => put(name, asJson)));
    const before = kms.calls.length;
    const other = otherProcess();
    for (const name of names) assert.deepEqual(await read(name, other), asJson);
    assert.deepEqual(kms.calls.slice(before), ["Decrypt"]);
  });

  it("does not open under another key, in another project or another organization", async () => {
    await put(keyOf(a, "mine"), asJson);
    const sealed = await raw(keyOf(a, "mine"));
    await put(keyOf(b, "theirs"), Buffer.from("theirs"));
    for (const place of [keyOf(a, "moved"), keyOf(b, "theirs")]) {
      await overwrite(place, sealed);
      await assert.rejects(read(place), `opened as ${place}`);
    }
  });

  it("does not open where a bit was changed, wherever, or where the end is missing", async () => {
    const key = keyOf(a, "harmed");
    await put(key, Buffer.alloc(200_000, "x"));
    const whole = await raw(key);
    for (const at of [12, 60, 400, 70_000, 150_000, whole.length - 1]) {
      const harmed = Buffer.from(whole);
      harmed.writeUInt8(harmed[at]! ^ 1, at);
      await overwrite(key, harmed);
      await assert.rejects(read(key), `a bit of byte ${at}`);
    }
    for (const bytes of [20, 500, 66_000, whole.length - 1]) {
      await overwrite(key, whole.subarray(0, bytes));
      await assert.rejects(read(key), `${bytes} bytes`);
    }
    await overwrite(key, whole);
    assert.equal((await read(key)).length, 200_000);
  });

  it("has no link: nothing but its process opens it", async () => {
    await put(keyOf(a, "linked"), asJson);
    const options = { filename: "a", seconds: 60 };
    assert.equal(await cloud.stores.objects.link(keyOf(a, "linked"), options), undefined);
  });

  it("is there whole or not at all, where its writer was killed", async () => {
    const key = keyOf(a, "killed");
    const program = fileURLToPath(new URL("../../support/slowPut.ts", import.meta.url));
    const environment = { ...process.env, ...cloud.environment, AWS_ENDPOINT_URL_KMS: kms.url };
    const writer = fork(program, [key], { env: environment });
    await once(writer, "message");
    writer.kill("SIGKILL");
    await once(writer, "exit");
    assert.equal(await cloud.stores.objects.get(key), undefined);
  });

  it("breaks off where its source breaks off, and leaves nothing", async () => {
    async function* broken() {
      yield Buffer.alloc(100_000);
      throw new Error("the client went away");
    }
    const key = keyOf(a, "broken");
    await assert.rejects(cloud.stores.objects.put(key, Readable.from(broken())), /the client went away/);
    assert.equal(await cloud.stores.objects.get(key), undefined);
  });
});

describe("an organization's key", () => {
  it("may come later: what was plain stays readable", async () => {
    const tenant = await createTenant(cloud.stores, "late");
    await put(keyOf(tenant, "early"), asJson, otherProcess(false));
    assert.deepEqual(await read(keyOf(tenant, "early")), asJson);
    assert.ok(await cloud.stores.objects.link(keyOf(tenant, "early"), { filename: "a", seconds: 60 }));
  });

  it("is one, however many store something at the same time", async () => {
    const tenant = await createTenant(cloud.stores, "many");
    const processes = [cloud.stores, otherProcess(), otherProcess()];
    await Promise.all(
      processes.flatMap((stores, p) => [1, 2].map((i) => put(keyOf(tenant, `${p}-${i}`), asJson, stores))),
    );
    const organization = tenant.project.organization_id;
    assert.equal((await cloud.stores.sealing!.keys.get(organization))!.versions.length, 1);
    const living = [...kms.keys.values()].filter(
      ({ tags, state }) => tags.organization === organization && state === "Enabled",
    );
    assert.equal(living.length, 1);
    assert.deepEqual(await read(keyOf(tenant, "2-2")), asJson);
  });

  it("is rotated: what is new is under the new version, what is old still opens", async () => {
    const tenant = await createTenant(cloud.stores, "turning");
    const { keys } = cloud.stores.sealing!;
    await put(keyOf(tenant, "old"), asJson);
    await keys.rotate(tenant.project.organization_id, none);
    await put(keyOf(tenant, "new"), asJson);
    assert.equal((await raw(keyOf(tenant, "new"))).readUInt32BE(10), 2);
    const other = otherProcess();
    for (const name of ["old", "new"]) assert.deepEqual(await read(keyOf(tenant, name), other), asJson);
  });

  it("is deleted: within seconds nobody reads or stores anything, and a new key brings nothing back", async () => {
    const tenant = await createTenant(cloud.stores, "leaving");
    const organization = tenant.project.organization_id;
    const { keys } = cloud.stores.sealing!;
    const other = otherProcess();
    await put(keyOf(tenant, "early"), asJson, otherProcess(false));
    await put(keyOf(tenant, "secret"), asJson);
    assert.deepEqual(await read(keyOf(tenant, "secret"), other), asJson);
    const deleted = await keys.delete(organization, none);
    for (const name of ["secret", "early"]) {
      await assert.rejects(read(keyOf(tenant, name)), { code: "encryption_key_deleted", status: 410 });
    }
    await assert.rejects(put(keyOf(tenant, "more"), asJson), { code: "encryption_key_deleted" });
    const refused = () =>
      read(keyOf(tenant, "secret"), other).then(
        () => false,
        ({ code }) => code,
      );
    assert.equal(await until(refused, { what: "the other process to refuse", seconds: 5 }), "encryption_key_deleted");

    const [key] = deleted!.doomed;
    assert.equal(kms.keys.get(key!)!.state, "Enabled", "the deletion died before KMS was told");
    assert.equal(await keys.destroyAll(10), 1);
    assert.equal(kms.keys.get(key!)!.state, "PendingDeletion");
    assert.equal(await keys.destroyAll(10), 0);

    await keys.rotate(organization, none);
    await put(keyOf(tenant, "new life"), asJson);
    assert.deepEqual(await read(keyOf(tenant, "new life")), asJson);
    await assert.rejects(read(keyOf(tenant, "secret")), { code: "encryption_key_deleted" });
  });

  it("that KMS lost counts as deleted", async () => {
    const tenant = await createTenant(cloud.stores, "lost");
    await put(keyOf(tenant, "secret"), asJson);
    const { versions } = (await cloud.stores.sealing!.keys.get(tenant.project.organization_id))!;
    kms.keys.delete(versions[0]!.key);
    await assert.rejects(read(keyOf(tenant, "secret"), otherProcess()), { code: "encryption_key_deleted" });
  });
});
