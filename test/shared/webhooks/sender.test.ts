/** An attempt goes to the address that was checked and nowhere else, and has an end in time and bytes. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createSender, type SenderOptions } from "../../../shared/webhooks/sender.ts";
import { type Receiver, startReceiver } from "../../support/receiver.ts";

let receiver: Receiver;
/** On the same port of another address of this machine. */
let other: Receiver;

before(async () => {
  receiver = await startReceiver();
  other = await startReceiver("127.0.0.2", receiver.port);
});
beforeEach(() => {
  for (const one of [receiver, other]) {
    one.received.length = 0;
    one.answer = (response) => void response.writeHead(204).end();
  }
});
after(() => Promise.all([receiver.close(), other.close()]));

const local = (options: Partial<SenderOptions> = {}) =>
  createSender({ timeoutMilliseconds: 2000, local: true, ...options });
const strict = (options: Partial<SenderOptions> = {}) =>
  createSender({ timeoutMilliseconds: 2000, local: false, ...options });
const at = (address: string) => ({ address, family: address.includes(":") ? 6 : 4 });
const send = (sender: ReturnType<typeof createSender>, url: string) =>
  sender.send(url, { "webhook-id": "evt_1" }, "{}");

test("a name that leads to an address which is not public is refused before anything is sent", async () => {
  const forms = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "::1",
    "::ffff:127.0.0.1",
    "fd00:ec2::254",
    "64:ff9b::7f00:1",
  ];
  for (const address of forms) {
    const sent = await send(strict({ resolve: async () => [at(address)] }), "https://hooks.example.com/");
    assert.match(sent.error ?? "", /public internet/, address);
    assert.equal(sent.status_code, null);
  }
  const mixed = strict({ resolve: async () => [at("93.184.216.34"), at("127.0.0.1")] });
  assert.match((await send(mixed, "https://hooks.example.com/")).error ?? "", /public internet/);
  assert.deepEqual(receiver.received, []);
});

test("literal addresses, credentials, ports and plain HTTP are refused at each attempt, too", async () => {
  for (const url of [
    receiver.url,
    "https://127.0.0.1/",
    "https://0x7f000001/",
    "https://[::1]/",
    "https://a:b@x.com/",
  ]) {
    const sent = await send(strict(), url);
    assert.match(sent.error ?? "", /^The URL must/, url);
  }
  const guarded = local({ permits: () => false });
  assert.match((await send(guarded, receiver.url)).error ?? "", /public internet/);
  assert.deepEqual(receiver.received, []);
});

test("a name is resolved once an attempt, and what was checked is what is connected to", async () => {
  let asked = 0;
  const sender = local({
    // A name that is honest when it is checked, and leads elsewhere whenever it is asked again.
    resolve: async () => [at(asked++ === 0 ? "127.0.0.1" : "127.0.0.2")],
    permits: (address) => address === "127.0.0.1",
  });
  const url = `http://rebinding.example.com:${receiver.port}/`;
  assert.equal((await send(sender, url)).status_code, 204);
  assert.deepEqual([asked, receiver.received.length, other.received.length], [1, 1, 0]);
  // The next attempt asks anew: no connection is left over, and the new address is checked, too.
  assert.match((await send(sender, url)).error ?? "", /public internet/);
  assert.deepEqual([asked, receiver.received.length, other.received.length], [2, 1, 0]);
});

test("redirects are not followed", async () => {
  receiver.answer = (response) => void response.writeHead(307, { location: `${other.url}/stolen` }).end();
  const sent = await send(local(), receiver.url);
  assert.deepEqual([sent.status_code, sent.error], [307, "It answered 307: redirects are not followed."]);
  assert.deepEqual(other.received, []);
});

test("what is posted arrives as it is, with its headers", async () => {
  const sent = await local().send(`${receiver.url}/hooks?a=1`, { "webhook-id": "evt_1" }, '{"é":"好"}');
  assert.deepEqual([sent.status_code, sent.error], [204, null]);
  const [{ path, headers, body }] = receiver.received as [(typeof receiver.received)[0]];
  assert.deepEqual([path, body, headers["webhook-id"]], ["/hooks?a=1", '{"é":"好"}', "evt_1"]);
  assert.equal(headers["content-type"], "application/json");
});

test("who does not answer in time, or not at all, is told of as a failure", async () => {
  receiver.answer = () => {};
  const sent = await send(local({ timeoutMilliseconds: 100 }), receiver.url);
  assert.deepEqual([sent.status_code, sent.error], [null, "No answer within 0.1 s."]);
  const closed = await startReceiver();
  await closed.close();
  assert.equal((await send(local(), closed.url)).error, "The connection failed: ECONNREFUSED.");
  const nameless = local({ resolve: async () => [] });
  assert.equal((await send(nameless, "http://nobody.example.com/")).error, "The name does not resolve.");
});

test("of an answer without end no more is read than a little", async () => {
  let written = 0;
  let isClosed = false;
  receiver.answer = (response) => {
    const write = () => {
      while (!isClosed && response.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
    };
    response.on("close", () => (isClosed = true)).on("drain", write);
    response.writeHead(200);
    write();
  };
  const sent = await send(local(), receiver.url);
  assert.deepEqual([sent.status_code, sent.error], [200, null]);
  // What lies in the buffers of two sockets; a reader would have gone on until the deadline.
  assert.ok(written < 64 * 1024 * 1024, `${written} bytes`);
});

test("an answer that trickles counts by its status, and ends with the deadline", async () => {
  receiver.answer = (response) => void response.writeHead(503, { "retry-after": "120" }).write("x");
  const sent = await send(local({ timeoutMilliseconds: 200 }), receiver.url);
  assert.deepEqual([sent.status_code, sent.retry_after], [503, 120]);
});
