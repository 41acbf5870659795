/** How much memory a process of this machine may take for training. */
import { totalmem } from "node:os";

/** The rest is for the process that holds the device, and for the system. */
const share = 0.8;

/** Bytes: most of what the container allows, or of the machine's memory where no container limits it. */
export function memoryLimit(): number {
  const allowed = process.constrainedMemory();
  return share * Math.min(totalmem(), allowed > 0 ? allowed : Number.POSITIVE_INFINITY);
}
