/** Blob files outlive their object for a grace period, and no longer. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { Blobs } from "../../../infra/local/s3/blobs.ts";
import { eventually } from "../../contracts/cloud.ts";
import { temporaryHome } from "./clouds.ts";

async function* bytes(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function text(blobs: Blobs, blob: string): Promise<string> {
  const chunks = await Array.fromAsync(blobs.read([{ blob, size: 4 }], 0, 3));
  return Buffer.concat(chunks).toString();
}

describe("retired blobs", () => {
  it("stay readable for a minute and are then removed", async (t) => {
    const home = await temporaryHome();
    const blobs = new Blobs(home);
    const blob = await blobs.write(bytes("kept"));
    t.mock.timers.enable({ apis: ["setTimeout"] });
    blobs.retire([blob]);
    t.mock.timers.tick(59_999);
    assert.equal(await text(blobs, blob), "kept");
    t.mock.timers.tick(1);
    t.mock.timers.reset();
    await eventually(async () => assert.deepEqual(await readdir(home), []));
  });

  it("are removed at once on close", async () => {
    const home = await temporaryHome();
    const blobs = new Blobs(home);
    const kept = await blobs.write(bytes("kept"));
    blobs.retire([await blobs.write(bytes("gone"))]);
    blobs.close();
    assert.deepEqual(await readdir(home), [kept]);
  });
});

describe("a write that fails", () => {
  it("leaves no file, not even one that is just being opened", async () => {
    const home = await temporaryHome();
    const blobs = new Blobs(home);
    const broken = async function* () {
      yield Buffer.from("half");
      throw new Error("the client went away");
    };
    const many = Array.from({ length: 200 }, () => assert.rejects(blobs.write(broken()), /went away/));
    await Promise.all(many);
    assert.deepEqual(await readdir(home), []);
  });
});
