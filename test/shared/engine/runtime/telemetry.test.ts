/** The runtime keeps to itself. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";

const engine = new URL("../../../../shared/engine/", import.meta.url);
const program = `
  import { input, neg, toOnnx } from "${new URL("index.ts", engine)}";
  import { createSession } from "${new URL("runtime/session.ts", engine)}";
  const session = await createSession(toOnnx({ outputs: { y: neg(input("x", [1])) } }), { threads: 1 });
  await session.run({ x: { shape: [1], data: Float32Array.of(1) } });
`;

it("a session writes no telemetry: no device id, no log, nothing to send", () => {
  const temporary = mkdtempSync(join(tmpdir(), "millrace-test-"));
  const { ORT_DISABLE_TELEMETRY, ...environment } = process.env;
  const env = { ...environment, TMPDIR: temporary, HOME: temporary };
  try {
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { env });
    assert.equal(status, 0, String(stderr));
    assert.deepEqual(readdirSync(temporary), []);
  } finally {
    rmSync(temporary, { recursive: true });
  }
});
