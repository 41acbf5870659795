/** A large upload passes through the server; it is not collected there. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createTenant, openCloud } from "../../support/deployment.ts";
import { multipartType, streamed } from "../../support/multipart.ts";
import { startServer } from "../../support/serverProcess.ts";

const mebibyte = 1024 * 1024;
const skip = process.platform !== "linux" && "reads the peak memory of a process from /proc";

test("120 MB take no more memory than 50 MB", { skip }, async () => {
  const cloud = await openCloud();
  const { key } = await createTenant(cloud.stores, "acme");
  const server = await startServer(cloud.environment);
  const upload = async (bytes: number) => {
    const response = await fetch(`${server.baseURL}/files`, {
      method: "POST",
      body: streamed(bytes),
      duplex: "half",
      headers: { authorization: `Bearer ${key}`, "content-type": multipartType },
    });
    assert.equal(((await response.json()) as { bytes: number }).bytes, bytes);
    const status = await readFile(`/proc/${server.process.pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
  };
  const peak = await upload(50 * mebibyte);
  const grown = (await upload(120 * mebibyte)) - peak;
  await server.stop();
  await cloud.close();
  assert.ok(grown < 60 * mebibyte, `${Math.round(grown / mebibyte)} MiB more`);
});
