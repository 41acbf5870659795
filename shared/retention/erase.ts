/** Erases projects: looks through table and bucket again and again, until a whole look found nothing. */
import type { ErasureRecord } from "../schemas/retention.ts";
import type { Stores } from "../stores/stores.ts";

type Needs = Pick<Stores, "erasures" | "objects">;

const pagesAtOnce = 5;
const objectsAtOnce = 500;
/** How long a step may take before another worker takes it for dead. */
const leaseMilliseconds = 5 * 60 * 1000;

/** One step of the erasure that is due first; false where none is. `settleSeconds`: what a worker may still write for so long. */
export async function eraseProjects(stores: Needs, settleSeconds: number, now = Date.now()): Promise<boolean> {
  const [due] = await stores.erasures.due(now, 1);
  const taken = due && (await stores.erasures.change(due, {}, now + leaseMilliseconds));
  if (!taken) return due !== undefined;
  const changes = await step(stores, taken);
  if (changes.cursor !== null) await stores.erasures.change(taken, changes, now);
  else if (changes.found > 0) await stores.erasures.change(taken, { ...changes, found: 0 }, now + settleSeconds * 1000);
  else await stores.erasures.change(taken, { ...changes, finished_at: Math.floor(now / 1000) }, null);
  return true;
}

async function step({ erasures, objects }: Needs, record: ErasureRecord) {
  const { erased_project: project } = record;
  let { cursor, removed_rows, removed_objects, found } = record;
  for (let pages = 0; pages < pagesAtOnce; pages++) {
    const look = await erasures.look(project, cursor);
    await erasures.remove(look.rows);
    removed_rows += look.rows.length;
    found += look.rows.length;
    cursor = look.cursor;
    if (cursor === null) break;
  }
  let seen = 0;
  for await (const { key } of objects.list(`${project}/`)) {
    await objects.delete(key);
    removed_objects++;
    found++;
    if (++seen >= objectsAtOnce) break;
  }
  return { cursor, removed_rows, removed_objects, found };
}
