/** Rows of what is queued for labellers, with who holds each and what they said: one row, so that a write settles all of it. */
import { hasSeat, holds, seated, withAnswer } from "../labels/seats.ts";
import { type Answer, LabelItemRecord } from "../schemas/label.ts";
import type { LabelQueueRecord } from "../schemas/labelQueue.ts";
import type { Table } from "./table.ts";

export interface Leasing {
  labeller: string;
  count: number;
  /** How long they are the labeller's alone. */
  seconds: number;
}

export interface Leased {
  items: LabelItemRecord[];
  /** All of a lower place are closed. */
  closed_below: number;
}

export interface LabelItems {
  /** Before anybody is given one; over what an earlier attempt wrote. */
  putAll(items: readonly LabelItemRecord[]): Promise<void>;
  /** Undefined also for what could be no id. */
  get(project: string, id: string): Promise<LabelItemRecord | undefined>;
  /** By place. `after`: the id of the one before the first. */
  list(queue: Queue, options: { limit: number; after?: string | undefined }): Promise<LabelItemRecord[]>;
  /** The first places that want this labeller: those they hold already, whose lease is renewed, and free ones. */
  lease(queue: Queue & Pick<LabelQueueRecord, "closed_below">, leasing: Leasing): Promise<Leased>;
  /**
   * The item with the answer, which is the one that was there where that said the same; undefined where the labeller has
   * no seat at it.
   */
  answer(item: LabelItemRecord, labeller: string, answer: Answer): Promise<LabelItemRecord | undefined>;
  /** Nobody is given it any more. */
  close(item: LabelItemRecord): Promise<void>;
}

type Queue = Pick<LabelQueueRecord, "project_id" | "id"> & { items: number | null };

const idForm = /^lqi_([0-9a-hjkmnp-tv-z]{26})_(\d{4})$/;
const prefix = "lq_";
const page = 25;

/** `lqi_`, the queue's own characters, and the place. */
export const itemId = (queue: string, place: number) =>
  `lqi_${queue.slice(prefix.length)}_${String(place).padStart(4, "0")}`;

const keyOf = (project: string, id: string) => {
  const [, queue, place] = idForm.exec(id) ?? [];
  return queue === undefined ? undefined : { pk: `${project}#label_item#${queue}`, sk: place! };
};
const partitionOf = ({ project_id, id }: Queue) => `${project_id}#label_item#${id.slice(prefix.length)}`;

export function createLabelItems(table: Table): LabelItems {
  const get: LabelItems["get"] = async (project, id) => {
    const key = keyOf(project, id);
    const item = key && (await table.get(key));
    return item && LabelItemRecord.parse(item);
  };

  /** Writes what `change` makes of the item as it is at that moment; undefined where that is nothing. */
  const changed = async (
    item: LabelItemRecord,
    change: (item: LabelItemRecord) => Partial<LabelItemRecord> | undefined,
  ): Promise<LabelItemRecord | undefined> => {
    for (let now: LabelItemRecord | undefined = item; now; now = await get(item.project_id, item.id)) {
      const changes = change(now);
      if (!changes) return undefined;
      if (Object.keys(changes).length === 0) return now;
      const revision = now.revision + 1;
      const condition = { expression: "revision = :seen", values: { ":seen": now.revision } };
      const key = keyOf(item.project_id, item.id)!;
      if (await table.update(key, { ...changes, revision }, condition)) return { ...now, ...changes, revision };
    }
    return undefined;
  };

  async function* open(queue: Queue & { closed_below: number }): AsyncGenerator<LabelItemRecord> {
    const placed = (place: number) => String(place).padStart(4, "0");
    let after = queue.closed_below > 0 ? placed(queue.closed_below - 1) : undefined;
    for (;;) {
      const found = await table.query(partitionOf(queue), { limit: page, ...(after !== undefined && { after }) });
      const items = found.map((item) => LabelItemRecord.parse(item)).filter(({ place }) => place < (queue.items ?? 0));
      yield* items.filter(({ state }) => state === "open");
      if (found.length < page) return;
      after = placed(items.at(-1)?.place ?? 9999);
    }
  }

  return {
    get,
    async putAll(items) {
      for (let start = 0; start < items.length; start += page) {
        const writes = items.slice(start, start + page).map((item) => {
          return { type: "put" as const, key: keyOf(item.project_id, item.id)!, item };
        });
        await table.transact(writes);
      }
    },
    async list(queue, { limit, after }) {
      const from = after === undefined ? undefined : keyOf(queue.project_id, after)?.sk;
      const found = await table.query(partitionOf(queue), { limit, ...(from !== undefined && { after: from }) });
      return found.map((item) => LabelItemRecord.parse(item)).filter(({ place }) => place < (queue.items ?? 0));
    },
    async lease(queue, { labeller, count, seconds }) {
      const items: LabelItemRecord[] = [];
      let closed_below: number | undefined;
      for await (const item of open(queue)) {
        closed_below ??= item.place;
        if (items.length >= count) break;
        const held = await changed(item, (current) => {
          const now = Date.now();
          if (!holds(current, labeller, now) && !hasSeat(current, labeller, now)) return undefined;
          return seated(current, labeller, now + seconds * 1000, now);
        });
        if (held) items.push(held);
      }
      return { items, closed_below: closed_below ?? queue.items ?? 0 };
    },
    answer: (item, labeller, answer) =>
      changed(item, (current) => {
        const before = current.answers[labeller];
        if (before?.outcome === answer.outcome && before.label === answer.label) return {};
        return withAnswer(current, labeller, answer, Date.now());
      }),
    async close(item) {
      await changed(item, ({ state }) => (state === "closed" ? undefined : { state: "closed" }));
    },
  };
}
