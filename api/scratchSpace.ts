/** The local disk of a function, which one process after the other has to itself. */
import { readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** As the model host names its directories. */
const ours = "millrace-";

/** Removes what a process that ended without warning left, and returns how many bytes the disk has. */
export function claimScratchSpace(directory = tmpdir()): number {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(ours)) rmSync(join(directory, name), { recursive: true, force: true });
  }
  const { blocks, bsize } = statfsSync(directory);
  return blocks * bsize;
}
