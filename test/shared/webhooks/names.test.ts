/** A name of the public DNS that leads into a private network is found out, over the wire as it would come. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createResolve, type Resolve } from "../../../shared/webhooks/names.ts";
import { createSender } from "../../../shared/webhooks/sender.ts";
import { type NameServer, startNameServer } from "../../support/nameServer.ts";
import { startReceiver } from "../../support/receiver.ts";

let server: NameServer;
let resolve: Resolve;
const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1];
before(async () => {
  server = await startNameServer({
    "private.example.com": { A: [10, 0, 0, 1] },
    "metadata.example.com": { A: [169, 254, 169, 254] },
    "mapped.example.com": { AAAA: mapped },
    "both.example.com": { A: [93, 184, 216, 34], AAAA: mapped },
    "here.example.com": { A: [127, 0, 0, 1] },
    "empty.example.com": {},
  });
  resolve = createResolve([server.address]);
});
after(() => server.close());

const errorOf = async (name: string) => {
  const sender = createSender({ timeoutMilliseconds: 5000, local: false, resolve });
  return (await sender.send(`https://${name}/`, {}, "{}")).error;
};

test("addresses of both families are found, and one family is enough", async () => {
  assert.deepEqual(await resolve("private.example.com"), [{ address: "10.0.0.1", family: 4 }]);
  assert.deepEqual(
    (await resolve("both.example.com")).map(({ family }) => family),
    [4, 6],
  );
});

test("names that lead to private, metadata and mapped addresses are refused, also where a public one stands beside", async () => {
  for (const name of ["private", "metadata", "mapped", "both", "here"]) {
    assert.match((await errorOf(`${name}.example.com`)) ?? "", /public internet/, name);
  }
});

test("names without addresses do not resolve", async () => {
  for (const name of ["empty", "unknown"]) {
    assert.equal(await errorOf(`${name}.example.com`), "The name does not resolve.", name);
  }
});

test("a name whose address is permitted is connected to there", async () => {
  const receiver = await startReceiver();
  const sender = createSender({ timeoutMilliseconds: 5000, local: true, resolve });
  const sent = await sender.send(`http://here.example.com:${receiver.port}/`, {}, "{}");
  assert.equal(sent.status_code, 204);
  assert.equal(receiver.received[0]!.headers.host, `here.example.com:${receiver.port}`);
  await receiver.close();
});
