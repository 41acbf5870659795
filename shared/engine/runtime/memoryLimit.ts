/** How much memory this process may plan to use for training. */
import { totalmem } from "node:os";

/** The rest is for the process that holds the device, and for the system. */
const share = 0.8;

let told = 0;

/** Bytes; 0 leaves it to the machine. */
export function limitMemory(bytes: number): void {
  told = bytes;
}

/** Bytes: what was told, else most of what the container allows, or of the machine's memory where none limits it. */
export function memoryLimit(): number {
  const allowed = process.constrainedMemory();
  return told || share * Math.min(totalmem(), allowed > 0 ? allowed : Number.POSITIVE_INFINITY);
}
