/** Real models and data, which lie outside the repository; a test that needs one is skipped where it is absent. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.env.MILLRACE_SHARED ?? fileURLToPath(new URL("../../../shared", import.meta.url));

/** The path of a shared file or folder, and what to pass to a test as its `skip` option. */
export function sharedFile(path: string): { path: string; skip: string | false } {
  const full = join(root, path);
  return { path: full, skip: existsSync(full) ? false : `${path} is not in ${root} (set MILLRACE_SHARED)` };
}
