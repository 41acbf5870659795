/** Run as a process: puts an object that never ends, tells when much of it is on its way, and waits to be killed. */
import { Readable } from "node:stream";
import { createAwsClients } from "../../shared/aws.ts";
import { parseConfig } from "../../shared/config.ts";
import { createStores } from "../../shared/stores/stores.ts";

const [, , key = ""] = process.argv;
const { objects } = createStores(createAwsClients(), parseConfig(process.env));

async function* endless() {
  for (let megabytes = 0; megabytes < 20; megabytes++) yield Buffer.alloc(1024 * 1024, "y");
  process.send?.("on its way");
  await new Promise(() => setInterval(() => {}, 1000));
}

await objects.put(key, Readable.from(endless()));
