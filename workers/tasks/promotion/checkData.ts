/** Whether what is new in a turn's dataset may be learned from: do its labels agree with the other rows as earlier ones do? */
import type { DatasetRow } from "../../../shared/datasets/row.ts";
import { type Agreement, judgeData } from "../../../shared/promotion/dataGate.ts";
import { answersOnThread } from "../../../shared/promotion/outOfFold.ts";
import { ownVersion, testVersion, versionRows } from "./readings.ts";
import type { Attempt, Next } from "./task.ts";

/** New rows, and earlier ones, that are looked at. */
const mostRows = 10_000;

/**
 * What the incumbent answers would stop a turn whenever the world has moved, which is when it is needed most. Out of fold, new
 * rows are judged by each other, too.
 */
export async function checkData(attempt: Attempt): Promise<Next> {
  const { context, promotion, lease } = attempt;
  const version = await ownVersion(attempt);
  const own = await versionRows(attempt, version);
  const isFresh = await freshIn(attempt);
  const fresh = spread(own.filter(isFresh));
  if (fresh.length === 0) return { to: "rejected", reason: "Nothing in the dataset is new." };
  const rows = [...spread(own.filter((row) => !isFresh(row))), ...fresh];
  const labels = rows.map(({ label }) => label);
  const answers = await answersOnThread({ texts: rows.map(({ text }) => text), labels }, lease.signal);
  const agreement = (from: number, to: number): Agreement => {
    return { items: to - from, agreeing: answers.slice(from, to).filter((one, i) => one === labels[from + i]).length };
  };
  const earlier = rows.length - fresh.length;
  const verdict = judgeData(agreement(0, earlier), agreement(earlier, rows.length), promotion.policy.gate);
  const { passed, before, now, pValue: p_value } = verdict;
  const changes = { data: { items: fresh.length, before, now, p_value, passed } };
  const found = `By what the other rows say, ${percent(now)} of ${fresh.length} new labels are right, and ${percent(before)} of earlier ones.`;
  if (!passed) return { to: "rejected", reason: `New labels disagree too much to be learned from. ${found}`, changes };
  const writes = [context.stores.policies.passedWrite(promotion.project_id, promotion.function, version.id)];
  return { to: "training", reason: found, changes, writes };
}

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** From all along the list. */
function spread(rows: DatasetRow[]): DatasetRow[] {
  const every = rows.length / mostRows;
  return every <= 1 ? rows : Array.from({ length: mostRows }, (_, i) => rows[Math.floor(i * every)]!);
}

/** Rows that the version whose labels passed last has not, or with another label. */
async function freshIn(attempt: Attempt): Promise<(row: DatasetRow) => boolean> {
  const { context, promotion } = attempt;
  const { versions } = context.stores.datasets;
  const known = promotion.passed_version && (await versions.get(promotion.project_id, promotion.passed_version));
  const earlier = await versionRows(attempt, known || (await testVersion(attempt)));
  const labels = new Map(earlier.map(({ id, label }) => [id, label]));
  return ({ id, label }) => labels.get(id) !== label;
}
