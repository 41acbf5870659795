/** The local disk of a function, which one process after the other has to itself. */
import { readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning } from "../shared/processLife.ts";
import { makerOf } from "../shared/serving/modelDirectory.ts";

/**
 * Removes what a process that ended without warning left of models, and returns how many bytes the disk has. Whoever shares
 * the directory, as on a developer's machine, keeps what is theirs.
 */
export function claimScratchSpace(directory = tmpdir()): number {
  for (const name of readdirSync(directory)) {
    const maker = makerOf(name);
    // The process before this one may have had the same number, and this one has made nothing yet.
    const isLeft = maker !== undefined && (maker === process.pid || !isRunning(maker));
    if (isLeft) rmSync(join(directory, name), { recursive: true, force: true });
  }
  const { blocks, bsize } = statfsSync(directory);
  return blocks * bsize;
}
