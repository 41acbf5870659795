/** The API as a process: in a container, and locally. */
import { once } from "node:events";
import { createModelHost } from "../shared/serving/host.ts";
import { hostOptions } from "../shared/serving/hostOptions.ts";
import { openContainer } from "./container.ts";
import { listen } from "./listen.ts";

const container = openContainer(process.env, (objects, config) => createModelHost(objects, hostOptions(config)));
const listening = await listen(container.app, container.config);
container.log.info({ base_url: `${listening.url}/v1` }, "listening");
process.send?.({ listening: listening.port });

// Whoever forked it and died without a word no longer needs it: `disconnect` ends it as a signal does.
await Promise.race(["SIGINT", "SIGTERM", "disconnect"].map((signal) => once(process, signal)));
container.log.info("stopping");
await listening.close(container.config.stopSeconds * 1000);
await container.close();
if (process.connected) process.disconnect();
