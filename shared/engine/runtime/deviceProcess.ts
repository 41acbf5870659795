/** The device process: sessions live here, where blocking, leaking or crashing hurts nobody else. */
import { answerRequests } from "./answering.ts";
import { endWithParent } from "./childProcess.ts";
import type { DeviceChoice } from "./deviceChoice.ts";

const [threads, device, memoryLimit] = process.argv.slice(2);

endWithParent();

/** Whoever no longer listens has ended, and `disconnect` tells of it. */
const answer = answerRequests(
  { threads: Number(threads), device: device as DeviceChoice, memoryLimit: Number(memoryLimit) },
  (reply) => void process.send?.(reply, () => {}),
);
process.on("message", answer);
