/** The key that seals customers' secrets on this machine: its user's alone, the same at every start, and taken by processes as it is. */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { secretKey } from "../../../infra/local/state.ts";
import { parseConfig } from "../../../shared/config.ts";

const environment = { MILLRACE_QUEUE_URL: "http://q/1", MILLRACE_DEAD_LETTER_QUEUE_URL: "http://q/2" };
const keysOf = (MILLRACE_SECRET_KEYS: string) => parseConfig({ ...environment, MILLRACE_SECRET_KEYS }).secretKeys;

test("it is made once, and nobody else can read it", async () => {
  const home = await mkdtemp(join(tmpdir(), "millrace-state-"));
  const key = secretKey(home);
  assert.equal(secretKey(home), key);
  assert.equal((await stat(join(home, "secret.key"))).mode & 0o777, 0o600);
  assert.equal(keysOf(key)[0]!.toString("base64"), key);
  await rm(home, { recursive: true });
});

test("keys of another length stop a process at its start; several are several", () => {
  const [a, b] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)].map((key) => key.toString("base64"));
  assert.equal(keysOf(`${a}, ${b}`).length, 2);
  for (const wrong of ["", "short", `${a},`, Buffer.alloc(16).toString("base64")]) {
    assert.throws(() => keysOf(wrong), /MILLRACE_SECRET_KEYS/, wrong);
  }
});
