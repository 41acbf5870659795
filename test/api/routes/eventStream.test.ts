/** Event streams: what a client sees that reads, waits, or goes away, and what becomes of the writing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, before, beforeEach, describe, it, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import OpenAI from "openai";
import type { RequestEvent } from "../../../api/requestEvents.ts";
import { newRouter } from "../../../api/router.ts";
import { readerSignal, sendEvents } from "../../../api/routes/eventStream.ts";
import { ApiError } from "../../../shared/errors.ts";
import type { StreamEvent } from "../../../shared/inference/endpoint.ts";
import type { WrittenPiece } from "../../../shared/serving/generation.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { sdks } from "../../support/sdks.ts";

/** What the host writes in this test; how many texts it began, and how many it no longer writes. */
let write: () => AsyncGenerator<WrittenPiece>;
let begun = 0;
let ended = 0;
let aborted = 0;

let deployment: Deployment;
let model: string;
before(async () => {
  const host = fakeHost();
  host.generate = async (_model, _request, signal) => {
    signal?.addEventListener("abort", () => aborted++);
    async function* pieces() {
      begun++;
      try {
        for await (const piece of write()) {
          signal?.throwIfAborted();
          yield piece;
        }
      } finally {
        ended++;
      }
    }
    return { promptTokens: 1, pieces: pieces() };
  };
  deployment = await deploy({ host });
  ({ id: model } = await addModel(deployment.stores, deployment.a));
});
beforeEach(() => {
  begun = ended = aborted = 0;
});
after(() => deployment.close());

const word = (text: string): WrittenPiece => ({ text, tokens: [] });
async function* forEver() {
  for (;;) {
    yield word("on and ");
    await pause(5);
  }
}
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 400 && !holds(); i++) await pause(5);
  assert.ok(holds(), what);
}
const asked = (more: object = {}) => ({ model, messages: [{ role: "user" as const, content: "x" }], ...more });

describe("a client that goes away", () => {
  it("ends what is written for it, by breaking off or by aborting, whatever it asked", async () => {
    write = forEver;
    for (const n of [1, 3]) {
      for await (const _ of await deployment.client().chat.completions.create({ ...asked({ n }), stream: true })) break;
      await until(() => ended === begun && begun === n, `${ended} of ${begun} texts ended`);
      begun = ended = 0;
    }
    const stream = deployment.client().responses.stream({ model, input: "x" });
    stream.on("response.output_text.delta", () => stream.abort());
    await assert.rejects(stream.finalResponse());
    await until(() => ended === 1 && aborted > 0, "the response's text goes on");
    assert.deepEqual(
      deployment.observed.filter(({ type }) => type === "failed"),
      [],
    );
  });

  it("ends it also where the connection breaks, with and without a stream", async () => {
    write = forEver;
    for (const [stream, path] of [
      [true, "completions"],
      [false, "chat/completions"],
    ] as const) {
      const { port } = new URL(deployment.origin);
      const headers = { "content-type": "application/json", authorization: `Bearer ${deployment.keys.a}` };
      const sent = httpRequest({ port, path: `/v1/${path}`, method: "POST", headers });
      sent.on("error", () => {});
      const body = path === "completions" ? { model, prompt: "x", stream } : asked({ stream });
      sent.end(JSON.stringify(body));
      if (stream) await once(sent, "response");
      await until(() => begun === 1, "nothing is written");
      sent.destroy();
      await until(() => ended === 1 && aborted === 1, `${path} is written on`);
      begun = ended = aborted = 0;
    }
  });
});

for (const [version, Sdk] of Object.entries(sdks)) {
  test(`an error amid a stream is an error of the SDK, and told to the operator: ${version}`, async () => {
    const client = new Sdk({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });
    const cause = new Error("the device is on fire");
    write = async function* () {
      yield word("Once ");
      throw new ApiError("overloaded", "The model could not be run to the end.", { cause });
    };
    const calls = {
      chat: () => client.chat.completions.create({ ...asked(), stream: true }),
      completion: () => client.completions.create({ model, prompt: "x", stream: true }),
      response: () => client.responses.create({ model, input: "x", stream: true }),
    };
    for (const [name, call] of Object.entries(calls)) {
      deployment.observed.length = 0;
      let told = "";
      const read = async () => {
        for await (const event of (await call()) as AsyncIterable<unknown>) told += JSON.stringify(event);
      };
      await assert.rejects(read, (error: InstanceType<typeof OpenAI.APIError>) => {
        assert.ok(error instanceof Sdk.APIError, name);
        assert.deepEqual([error.code, error.type], ["overloaded", "server_error"], name);
        return true;
      });
      assert.match(told, /Once /, name);
      const failed = deployment.observed.filter((event: RequestEvent) => event.type === "failed");
      assert.deepEqual(
        failed.map((event) => "cause" in event && event.cause),
        [cause],
        name,
      );
    }
  });
}

test("what is no fault of the client's is not told in its words", async () => {
  write = async function* () {
    yield word("Once ");
    throw new Error("secret path /etc");
  };
  const response = await deployment.fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked({ stream: true })),
  });
  const body = await response.text();
  assert.equal(response.status, 200);
  assert.ok(!body.includes("secret"), body);
  assert.match(
    body,
    /data: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"internal_error"\}\}\n\n/,
  );
  assert.match(response.headers.get("x-request-id")!, /^req_/);
});

describe("a stream of events", () => {
  const send = (events: () => AsyncGenerator<StreamEvent>, keepAliveMilliseconds = 60_000) => {
    const router = newRouter();
    router.get("/", (c) => {
      const { stop } = readerSignal(c);
      return sendEvents(c, { model: "m", digest: "d", events: events() }, stop, {
        observe: () => {},
        keepAliveMilliseconds,
      });
    });
    return router.request("/");
  };

  it("is data lines and [DONE], or names and data alone", async () => {
    const plain = await send(async function* () {
      yield { data: { a: "line\nbreak" } };
      yield { data: {} };
    });
    assert.equal(plain.headers.get("content-type"), "text/event-stream");
    assert.equal(plain.headers.get("x-millrace-model-digest"), "d");
    assert.equal(await plain.text(), 'data: {"a":"line\\nbreak"}\n\ndata: {}\n\ndata: [DONE]\n\n');
    const named = await send(async function* () {
      yield { name: "response.created", data: { n: 0 } };
    });
    assert.equal(await named.text(), 'event: response.created\ndata: {"n":0}\n\n');
  });

  it("sends comments while nothing comes, which the SDK does not mind", async () => {
    const slow = await send(async function* () {
      yield { data: { n: 0 } };
      await pause(100);
      yield { data: { n: 1 } };
    }, 10);
    const text = await slow.text();
    assert.match(text, /^data: \{"n":0\}\n\n(: keep-alive\n\n)+data: \{"n":1\}\n\ndata: \[DONE\]\n\n$/);
    const fetch = async () => new Response(text, { headers: { "content-type": "text/event-stream" } });
    const client = new OpenAI({ apiKey: "x", fetch });
    const chunks = await Array.fromAsync(await client.chat.completions.create({ ...asked(), stream: true }));
    assert.deepEqual(chunks, [{ n: 0 }, { n: 1 }]);
  });

  it("waits for a reader that is slower than the writer", async () => {
    let written = 0;
    const response = await send(async function* () {
      for (; written < 1000; written++) yield { data: { written } };
    });
    const reader = response.body!.getReader();
    await reader.read();
    await pause(20);
    assert.ok(written < 10, `${written} events were made for one that was read`);
    await reader.cancel();
  });
});
