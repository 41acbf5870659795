/** What projects may spend, what is reserved of it, and what was spent; and how fast jobs of the deployment were. */
import { hash } from "node:crypto";
import { newId } from "../ids.ts";
import { MonthSum, Pace, Reservation, SpendLimitRecord } from "../schemas/budget.ts";
import type { Condition, Table, TransactWrite } from "./table.ts";
import { tableSchema } from "./table.ts";

export interface Budgets {
  limit(project: string): Promise<SpendLimitRecord | undefined>;
  setLimit(project: string, nanos: number, also: readonly TransactWrite[]): Promise<void>;
  /** False where there is none. */
  deleteLimit(project: string, also: readonly TransactWrite[]): Promise<boolean>;
  reservations(project: string): Promise<Reservation[]>;
  sum(project: string, month: string): Promise<MonthSum | undefined>;
  /** False where somebody else has summed up since `before`. */
  putSum(project: string, month: string, sum: MonthSum, before: MonthSum | undefined): Promise<boolean>;
  /** Newest first. */
  paces(name: string): Promise<Pace[]>;
}

/** More than can be at work at once in one project. */
const mostReservations = 10_000;
/** A machine that was exchanged is forgotten. */
const paceSeconds = 90 * 24 * 60 * 60;
const mostPaces = 20;

const limitKey = (project: string) => ({ pk: `${project}#spend_limit`, sk: "month" });
const sumKey = (project: string, month: string) => ({ pk: `${project}#spent`, sk: month });
const reservationsOf = (project: string) => `${project}#reservation`;
/** Of no project: what it tells is how fast the deployment is. */
const pacesOf = (name: string) => `pace#${hash("sha256", name)}`;

interface Owed {
  project_id: string;
  id: string;
}
const reservationKey = ({ project_id, id }: Owed) => ({ pk: reservationsOf(project_id), sk: id });
const is = (name: string, value: unknown): Condition => ({
  expression: "#seen = :seen",
  names: { "#seen": name },
  values: { ":seen": value },
});

/** To be written with the row; all fail where anything was reserved, or the limit changed, since `seen` was read. */
export function reserveWrites(row: Owed, nanos: number, seen: SpendLimitRecord): TransactWrite[] {
  const key = limitKey(row.project_id);
  return [
    { type: "update", key, changes: { turn: newId("attempt") }, condition: is("turn", seen.turn) },
    { type: "create", key: reservationKey(row), item: { nanos } },
  ];
}

/** To be written with a charge: what was charged is not reserved any more. */
export function lowerWrite(row: Owed, nanos: number): TransactWrite {
  return { type: "put", key: reservationKey(row), item: { nanos: Math.max(0, nanos) } };
}

/** To be written with the row's end. Where nothing was reserved it changes nothing. */
export function settleWrite(row: Owed): TransactWrite {
  return { type: "delete", key: reservationKey(row) };
}

/** To be written with a job's success. */
export function paceWrite(name: string, pace: Pace): TransactWrite {
  const expires = Math.floor(Date.now() / 1000) + paceSeconds;
  const item = { ...pace, [tableSchema.timeToLive]: expires };
  return { type: "create", key: { pk: pacesOf(name), sk: newId("attempt") }, item };
}

export function createBudgets(table: Table): Budgets {
  return {
    async limit(project) {
      const item = await table.get(limitKey(project));
      return item && SpendLimitRecord.parse(item);
    },
    async setLimit(project, nanos, also) {
      const item: SpendLimitRecord = { nanos, turn: newId("attempt") };
      await table.transact([{ type: "put", key: limitKey(project), item }, ...also]);
    },
    deleteLimit(project, also) {
      const condition = { expression: "attribute_exists(turn)" };
      return table.transact([{ type: "delete", key: limitKey(project), condition }, ...also]);
    },
    async reservations(project) {
      const items = await table.query(reservationsOf(project), { limit: mostReservations });
      return items.map(({ sk, nanos }) => Reservation.parse({ id: sk, nanos }));
    },
    async sum(project, month) {
      const item = await table.get(sumKey(project, month));
      return item && MonthSum.parse(item);
    },
    putSum(project, month, sum, before) {
      const key = sumKey(project, month);
      return before ? table.update(key, sum, is("through", before.through)) : table.create(key, sum);
    },
    async paces(name) {
      const items = await table.query(pacesOf(name), { limit: mostPaces, descending: true });
      return items.map((item) => Pace.parse(item));
    },
  };
}
