/** Rows of promotions: leased rows whose every change of state is told in their own history, in the same write. */
import { type PromotionState, promotionLife } from "../promotionStates.ts";
import { type PromotionHistory, PromotionRecord } from "../schemas/promotion.ts";
import { createLeasedRows, type LeasedRows } from "./leasedRows.ts";
import { type QueryOptions, type Table, type TransactWrite, tableSchema } from "./table.ts";

type Rows = LeasedRows<PromotionState, PromotionRecord>;

/** Who changes it, and why. */
export interface Why {
  by: string;
  reason: string;
}

export interface MoveOptions extends Why {
  changes?: Partial<PromotionRecord>;
  attempt?: string;
  writes?: readonly TransactWrite[];
}

export interface Promotions
  extends Pick<Rows, "kind" | "create" | "get" | "acquire" | "renew" | "release" | "overdue" | "postpone"> {
  /** Newest first. */
  list(project: string, name: string, options: QueryOptions): Promise<PromotionRecord[]>;
  /** From the state it was read in; false when somebody else changed that. Whoever held its lease loses it. */
  move(record: PromotionRecord, to: PromotionState, options: MoveOptions): Promise<boolean>;
  /** Its rows ask the sweeper to be looked at again. */
  readonly wakes: true;
  /** Gives the lease up until `time` in milliseconds, when the sweeper sends a message. */
  wait(record: PromotionRecord, attempt: string, time: number, changes?: Partial<PromotionRecord>): Promise<boolean>;
}

const isOver = (state: PromotionState) => !promotionLife.working.includes(state) && state !== "held";

export function createPromotions(table: Table): Promotions {
  const { list, transition, ...rows } = createLeasedRows<PromotionState, PromotionRecord>(table, {
    kind: "promotion",
    noun: "promotion",
    parse: (item) => PromotionRecord.parse(item),
    life: promotionLife,
    tells: {
      promoted: "millrace.promotion.promoted",
      rejected: "millrace.promotion.rejected",
      rolled_back: "millrace.promotion.rolled_back",
      held: "millrace.promotion.held",
    },
  });
  return {
    ...rows,
    wakes: true,
    list: (project, name, options) => list(project, { ...options, descending: true, equals: { function: name } }),
    move(record, to, { by, reason, changes, attempt, writes = [] }) {
      const at = Math.floor(Date.now() / 1000);
      const told: PromotionHistory = { from: record.status, to, at, by, reason };
      return transition(record, to, {
        from: [record.status],
        ...(attempt !== undefined && { attempt }),
        changes: {
          ...changes,
          ...{ history: [...record.history, told], finished_at: isOver(to) ? at : null, lease: null },
          ...(promotionLife.working.includes(to) && { step: to as PromotionRecord["step"], failures: 0 }),
        },
        writes,
      });
    },
    wait(record, attempt, time, changes = {}) {
      const due = { [tableSchema.workIndex.sort]: new Date(time).toISOString() };
      return rows.release(record, attempt, { ...changes, ...due });
    },
  };
}
