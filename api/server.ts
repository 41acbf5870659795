/** The API as a process: in a container, and locally. */
import { once } from "node:events";
import { openContainer } from "./container.ts";
import { listen } from "./listen.ts";

const container = openContainer(process.env);
const listening = await listen(container.app, container.config);
container.log.info({ base_url: `${listening.url}/v1` }, "listening");
process.send?.({ listening: listening.port });

await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
container.log.info("stopping");
await listening.close();
await container.close();
if (process.connected) process.disconnect();
