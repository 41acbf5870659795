/** The session's own checks: what is fed wrongly is refused by name, before the runtime sees it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { add, equal, input, toOnnx } from "../../../shared/engine/index.ts";
import type { DeviceChoice } from "../../../shared/engine/runtime/deviceChoice.ts";
import { createSession, SessionError } from "../../../shared/engine/runtime/session.ts";
import { numbers, tensor, withSession } from "./run.ts";

const x = input("x", ["batch", 2]);
const y = input("y", [2]);
const model = toOnnx({ outputs: { sum: add(x, y), same: equal(x, y) } });
const feeds = { x: tensor([1, 2], [1, 2]), y: tensor([2], [10, 2]) };

const refuses = (message: RegExp) => (error: unknown) => error instanceof SessionError && message.test(error.message);

describe("a session", () => {
  it("computes every output, with its shape", async () => {
    await withSession(model, async (session) => {
      const results = await session.run(feeds);
      assert.deepEqual(results.sum, tensor([1, 2], [11, 4]));
      assert.deepEqual(numbers(results.same), [0, 1]);
      assert.deepEqual(
        [session.inputNames, session.outputNames],
        [
          ["x", "y"],
          ["sum", "same"],
        ],
      );
    });
  });

  it("refuses a feed that is missing, unknown, or of another type or shape, naming it", async () => {
    await withSession(model, async (session) => {
      const run = (changed: object) => session.run({ ...feeds, ...changed });
      await assert.rejects(session.run({ x: feeds.x }), refuses(/input "y" is missing/));
      await assert.rejects(run({ z: feeds.y }), refuses(/no input "z"/));
      await assert.rejects(
        run({ y: tensor([2], Int32Array.of(1, 2)) }),
        refuses(/input "y" takes float32, not Int32Array/),
      );
      await assert.rejects(run({ y: tensor([3], [1, 2, 3]) }), refuses(/input "y" takes \[2\], not \[3\]/));
      await assert.rejects(run({ y: tensor([2], [1, 2, 3]) }), refuses(/input "y" \[2\] cannot hold 3 elements/));
      await assert.rejects(run({ x: tensor([2], [1, 2]) }), refuses(/input "x" takes \[batch, 2\], not \[2\]/));
    });
  });

  it("refuses a device nobody knows", async () => {
    const device = "tpu" as DeviceChoice;
    await assert.rejects(
      createSession(model, { device }),
      refuses(/"tpu" is not known; known: auto, cpu, cuda, webgpu/),
    );
  });

  it("refuses bytes that are no model, and a thread count that is none", async () => {
    await assert.rejects(createSession(new Uint8Array(64).fill(7)), refuses(/does not start/));
    await assert.rejects(createSession(model, { threads: 0 }), refuses(/threads/));
  });
});
