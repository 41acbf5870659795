/** Where an attempt at a version looks whether it must put its work down. */
import { Stopped, type StopReason } from "../../lease.ts";
import type { Attempt } from "./task.ts";

export function throwIfStopped({ lease }: Pick<Attempt, "lease">): void {
  if (lease.signal.aborted) throw new Stopped(lease.signal.reason as StopReason);
}
