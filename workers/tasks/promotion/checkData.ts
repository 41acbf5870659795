/** Whether what is new in a turn's dataset may be learned from: do its labels agree as those known to be right do? */
import type { DatasetRow } from "../../../shared/datasets/row.ts";
import { type Agreement, judgeData } from "../../../shared/promotion/dataGate.ts";
import { frozenRows, incumbentModel, labelsBy, ownVersion, saidByUsers, testVersion, versionRows } from "./readings.ts";
import type { Attempt, Next } from "./task.ts";

export async function checkData(attempt: Attempt): Promise<Next> {
  const { context, promotion } = attempt;
  const version = await ownVersion(attempt);
  const own = await versionRows(attempt, version);
  const fresh = await freshRows(attempt, own);
  if (fresh.length === 0) return { to: "rejected", reason: "Nothing in the dataset is new." };
  const model = await incumbentModel(attempt);
  const frozen = await frozenRows(attempt, own);
  const said = await saidByUsers(attempt);
  const earlier = await agreement(attempt, model, frozen, () => 1);
  const now = await agreement(attempt, model, fresh, ({ id }) => said.get(id)?.weight ?? 1);
  const verdict = judgeData(earlier, now, promotion.policy.gate);
  const { passed, before, pValue: p_value } = verdict;
  const changes = { data: { items: fresh.length, before, now: verdict.now, p_value, passed } };
  const found = `The incumbent gives ${percent(verdict.now)} of ${fresh.length} new labels, and ${percent(before)} of those set aside.`;
  if (!passed) return { to: "rejected", reason: `Labels disagree too much to be learned from. ${found}`, changes };
  const writes = [context.stores.policies.passedWrite(promotion.project_id, promotion.function, version.id)];
  return { to: "training", reason: found, changes, writes };
}

export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Rows that the version whose labels passed last has not, or with another label. */
async function freshRows(attempt: Attempt, own: readonly DatasetRow[]): Promise<DatasetRow[]> {
  const { context, promotion } = attempt;
  const { versions } = context.stores.datasets;
  const known = promotion.passed_version && (await versions.get(promotion.project_id, promotion.passed_version));
  const earlier = await versionRows(attempt, known || (await testVersion(attempt)));
  const labels = new Map(earlier.map(({ id, label }) => [id, label]));
  return own.filter(({ id, label }) => labels.get(id) !== label);
}

async function agreement(
  attempt: Attempt,
  model: string,
  rows: readonly DatasetRow[],
  weightOf: (row: DatasetRow) => number,
): Promise<Agreement> {
  const answers = await labelsBy(
    attempt,
    model,
    rows.map(({ text }) => text),
  );
  const sum = (of: readonly DatasetRow[]) => of.reduce((all, row) => all + weightOf(row), 0);
  return { items: sum(rows), agreeing: sum(rows.filter(({ label }, i) => label === answers[i])) };
}
