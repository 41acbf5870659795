/** Objects of a project that no row names: what a crash or a defect left behind. Reads the whole table. */
import type { Stores } from "../stores/stores.ts";
import { tableSchema } from "../stores/table.ts";

/** Younger ones may be of rows that are still to come. */
const youngSeconds = 60 * 60;

export interface Verification {
  rows: number;
  objects: number;
  /** Keys. */
  orphans: string[];
}

export async function verifyObjects(
  { erasures, objects }: Pick<Stores, "erasures" | "objects">,
  project: string,
  now = Date.now(),
): Promise<Verification> {
  const named = new Set<string>();
  /** What is not over may have objects that only its attempts know of. */
  const atWork = new Set<string>();
  let rows = 0;
  let cursor: string | null = null;
  do {
    const look: { rows: Record<string, unknown>[]; cursor: string | null } = await erasures.look(project, cursor);
    for (const row of look.rows) {
      for (const [key] of JSON.stringify(row).matchAll(keysOf(project))) named.add(key);
      if (tableSchema.workIndex.partition in row) atWork.add(String(row.id));
    }
    rows += look.rows.length;
    cursor = look.cursor;
  } while (cursor !== null);
  const orphans: string[] = [];
  let count = 0;
  for await (const { key, stored_at } of objects.list(`${project}/`)) {
    count++;
    const isAtWork = key.split("/").some((part) => atWork.has(part));
    if (!named.has(key) && !isAtWork && stored_at + youngSeconds <= now / 1000) orphans.push(key);
  }
  return { rows, objects: count, orphans };
}

const keysOf = (project: string) => new RegExp(`${project}/[\\w./-]+`, "g");
