/** One process per state directory, and no lock that outlives its holder. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startLocalCloud } from "../../../infra/local/cloud.ts";
import { lockStateDirectory } from "../../../infra/local/stateLock.ts";
import { startProcess, temporaryHome } from "./clouds.ts";

describe("a state directory in use", () => {
  it("is refused to another process, with its name and its holder", async () => {
    const home = await temporaryHome();
    const cloud = await startLocalCloud({ home });
    await assert.rejects(startProcess(home), (error: Error) => {
      assert.ok(error.message.includes(home));
      assert.ok(error.message.includes(`process ${process.pid}`));
      assert.doesNotMatch(error.message, /\n\s+at /);
      return true;
    });
    await cloud.close();
  });

  it("is refused to a second cloud in the same process", async () => {
    const home = await temporaryHome();
    const cloud = await startLocalCloud({ home });
    await assert.rejects(startLocalCloud({ home }), { name: "StateDirectoryInUse" });
    await cloud.close();
  });
});

describe("a state directory is free again", () => {
  it("after its cloud closed", async () => {
    const home = await temporaryHome();
    await (await startLocalCloud({ home })).close();
    lockStateDirectory(home).release();
  });

  it("after its cloud was killed", async () => {
    const home = await temporaryHome();
    await (await startProcess(home)).kill("SIGKILL");
    lockStateDirectory(home).release();
  });

  it("after its cloud was told to end, cleanly", async () => {
    const home = await temporaryHome();
    for (const signal of ["SIGTERM", "SIGINT"] as const) assert.equal(await (await startProcess(home)).kill(signal), 0);
    lockStateDirectory(home).release();
  });

  it("after its cloud could not start", async () => {
    const taken = await startLocalCloud({ home: await temporaryHome() });
    const home = await temporaryHome();
    const port = Number(new URL(taken.endpoints.dynamodb).port);
    await assert.rejects(startLocalCloud({ home, ports: { dynamodb: port } }), { code: "EADDRINUSE" });
    lockStateDirectory(home).release();
    await taken.close();
  });
});
