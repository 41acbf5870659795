/** Removes what a policy no longer keeps: in bounded steps, each by one worker, and gone on with by whoever comes next. */
import type { RetentionPolicy, RetentionRecord } from "../schemas/retention.ts";
import type { Stores as EveryStore } from "../stores/stores.ts";
import { type Expiring, kinds, type Sweeping, settleFiles } from "./kinds.ts";

type Kind = keyof RetentionPolicy;
type Stores = Sweeping["stores"] & Pick<EveryStore, "retentions">;

const names = Object.keys(kinds) as Kind[];
const daySeconds = 24 * 60 * 60;
/** Looked at in one step. */
const mostAtOnce = 500;
/** How long a step may take before another worker takes it for dead. */
const leaseMilliseconds = 5 * 60 * 1000;
const pauseMilliseconds = 60 * 60 * 1000;
const everyTold = 100;

const isOverdue = ({ days, since }: Expiring, now: number) => days !== null && since + days * daySeconds <= now / 1000;

/** The least age of what a kind may lose, in seconds; Infinity: it loses nothing. */
function leastAge(policy: RetentionPolicy, kind: Kind): number {
  const setting = policy[kind];
  const days = setting !== null && typeof setting === "object" ? Object.values(setting) : [setting];
  return Math.min(...days.map((each) => (each === null ? Number.POSITIVE_INFINITY : each * daySeconds)));
}

/** What may be overdue, oldest first; ids sort by time, so what is younger ends it. */
async function* old(sweeping: Sweeping, kind: Kind, now: number, after?: string): AsyncGenerator<Expiring> {
  const age = leastAge(sweeping.policy, kind);
  if (age === Number.POSITIVE_INFINITY) return;
  for await (const item of kinds[kind](sweeping, after)) {
    // Deliveries come endpoint by endpoint, and jobs are told by their ends.
    const isInOrder = kind !== "webhook_delivery_days" && kind !== "checkpoint_days";
    if (isInOrder && item.since + age > now / 1000) return;
    yield item;
  }
}

function sweepingOf(stores: Sweeping["stores"], { project_id: project, policy }: RetentionRecord): Sweeping {
  let known: Promise<string> | undefined;
  const unfinished = () => {
    known ??= stores.retained.unfinished(project);
    return known;
  };
  return { stores, project, policy, unfinished, removedFiles: [] };
}

/** One step for the project that is due first; how many things it removed, undefined where nothing is due. */
export async function sweepRetention(stores: Stores, now = Date.now(), most = mostAtOnce): Promise<number | undefined> {
  const [due] = await stores.retentions.due(now, 1);
  if (!due) return undefined;
  const taken = await stores.retentions.change(due, {}, now + leaseMilliseconds);
  if (!taken) return 0;
  const { removed, place } = await step(sweepingOf(stores, taken), taken, { now, most });
  const next = place ? { place } : { place, swept_at: Math.floor(now / 1000) };
  await stores.retentions.change(taken, next, place ? now : now + pauseMilliseconds);
  return removed;
}

interface Bounds {
  now: number;
  most: number;
}

async function step(sweeping: Sweeping, { place }: RetentionRecord, bounds: Bounds) {
  const { removed, next } = await goOn(sweeping, place, bounds);
  return { removed: removed - (await settleFiles(sweeping)), place: next };
}

async function goOn(sweeping: Sweeping, place: RetentionRecord["place"], { now, most }: Bounds) {
  const first = Math.max(0, names.indexOf((place?.kind ?? names[0]) as Kind));
  let removed = 0;
  let looked = 0;
  for (const kind of names.slice(first)) {
    const after = kind === place?.kind ? place.after : undefined;
    for await (const item of old(sweeping, kind, now, after)) {
      if (isOverdue(item, now) && (await item.remove())) removed++;
      if (++looked >= most) return { removed, next: { kind, after: item.id } };
    }
  }
  return { removed, next: null };
}

/** What is there although its time is over and no unfinished work needs it: the first hundred. */
export async function findOverdue(stores: Sweeping["stores"], record: RetentionRecord, now = Date.now()) {
  const sweeping = sweepingOf(stores, record);
  const overdue: { kind: Kind; id: string }[] = [];
  for (const kind of names) {
    for await (const item of old(sweeping, kind, now)) {
      const isHeld = kind === "file_days" && isOverdue(item, now) && (await sweeping.unfinished()).includes(item.id);
      if (isOverdue(item, now) && !isHeld) overdue.push({ kind, id: item.id });
      if (overdue.length >= everyTold) return overdue;
    }
  }
  return overdue;
}
