/** Answers as they come: nobody makes more of them than is taken, and who goes away ends their making. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Writable } from "node:stream";
import { test } from "node:test";
import { answerStreaming, type StreamingHandler } from "../../api/lambdaHandlers.ts";
import { newRouter } from "../../api/router.ts";
import { context, invokeStreaming, restEvent, runtime } from "../support/gateway.ts";
import { until } from "../support/until.ts";

const pieceBytes = 1024;

/** An endless body that tells how many pieces were made, and of its end. */
function endless() {
  const told = { made: 0, ended: "" };
  const app = newRouter();
  app.get("/v1/endless", (c) => {
    c.req.raw.signal.addEventListener("abort", () => (told.ended += "signal "));
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          told.made++;
          controller.enqueue(new Uint8Array(pieceBytes));
        },
        async cancel() {
          await new Promise((resolve) => setImmediate(resolve));
          told.ended += "body";
        },
      },
      { highWaterMark: 1 },
    );
    return c.body(body, 200, { "content-type": "text/event-stream" });
  });
  return { told, handler: answerStreaming(app, runtime) as StreamingHandler };
}

test("a client that takes nothing has no more made than it has room for, and one that goes away ends it", async () => {
  const { told, handler } = endless();
  const waiting: (() => void)[] = [];
  const output = new Writable({
    highWaterMark: 4 * pieceBytes,
    write: (_chunk, _encoding, done) => void waiting.push(done),
  });
  const answered = handler(restEvent({ path: "/v1/endless" }), output, context);
  await until(() => output.writableNeedDrain, { what: "the client's room to be full" });
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  const { made } = told;
  assert.ok(made >= 4 && made <= 8, `${made} pieces for a room of 4`);
  // It takes everything that waits, once: as much again is made, and no more.
  const drained = once(output, "drain");
  while (output.writableLength > 0) {
    waiting.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    if (told.made > made) break;
  }
  await drained;
  await until(() => told.made > made, { what: "more to be made" });
  output.destroy();
  await answered;
  assert.equal(told.ended, "signal body", "the function returns when the body's end is done with");
  const atTheEnd = told.made;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(told.made, atTheEnd);
});

test("a client whose line breaks with an error is one that goes away", async () => {
  const { told, handler } = endless();
  const output = new Writable({
    write(_chunk, _encoding, done) {
      done(told.made < 10 ? null : new Error("EPIPE"));
    },
  });
  await handler(restEvent({ path: "/v1/endless" }), output, context);
  assert.equal(told.ended, "signal body");
});

test("an answer of no bytes still has its status", async () => {
  const app = newRouter();
  app.delete("/v1/nothing", (c) => c.body(null, 204));
  const answer = await invokeStreaming(
    answerStreaming(app, runtime),
    restEvent({ method: "DELETE", path: "/v1/nothing" }),
  );
  assert.deepEqual([answer.statusCode, answer.body.length], [204, 0]);
});
