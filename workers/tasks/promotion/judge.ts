/** Candidate and incumbent on the same rows, before anybody meets the candidate. */
import { crown } from "../../../shared/promotion/crown.ts";
import { judgeOffline, type OfflineVerdict } from "../../../shared/promotion/offlineGate.ts";
import type { PairedItem, PairedVerdict } from "../../../shared/promotion/paired.ts";
import type { PromotionRecord } from "../../../shared/schemas/promotion.ts";
import { percent } from "./checkData.ts";
import { frozenRows, incumbentModel, labelsBy, learnedFrom, ownVersion, saidByUsers, versionRows } from "./readings.ts";
import type { Attempt, Next } from "./task.ts";

/** Seconds between looks whether somebody's experiment is over. */
export const patience = 30;

export async function judge(attempt: Attempt): Promise<Next> {
  const { context, promotion } = attempt;
  const called = await context.stores.functions.get(promotion.project_id, promotion.function);
  if (called?.incumbent !== promotion.incumbent) {
    const reason = `'${called?.incumbent}' has become the incumbent; this candidate is to be compared with '${promotion.incumbent}'.`;
    return { to: "rejected", reason };
  }
  // Whoever compares with the incumbent must have ended before it changes.
  if (called.experiment_id !== null) return { wait: patience };
  const own = await versionRows(attempt, await ownVersion(attempt));
  const learned = learnedFrom(own);
  const said = [...(await saidByUsers(attempt))].filter(([id]) => !learned.has(id)).map(([, item]) => item);
  const frozen = await pairs(attempt, await frozenRows(attempt, own));
  const verdict = judgeOffline(frozen, await pairs(attempt, said), promotion.policy.gate);
  const changes = { offline: offlineOf(verdict) };
  const found = `Of ${frozen.length} test rows the candidate has ${percent(verdict.frozen.candidate)} right, the incumbent ${percent(verdict.frozen.incumbent)}.`;
  if (!verdict.passed) return { to: "rejected", reason: `${found} Stopped: ${verdict.reasons.join(", ")}.`, changes };
  if (promotion.policy.canary) return { to: "canary", reason: found, changes };
  return {
    to: "promoted",
    reason: found,
    changes,
    writes: [context.stores.functions.changeWrite(called, crown(called, promotion))],
  };
}

async function pairs(
  attempt: Attempt,
  rows: readonly { text: string; label: string; weight?: number }[],
): Promise<PairedItem[]> {
  const texts = rows.map(({ text }) => text);
  const candidate = await labelsBy(attempt, attempt.promotion.model!, texts);
  const incumbent = await labelsBy(attempt, await incumbentModel(attempt), texts);
  return rows.map(({ label, weight }, i) => ({ label, weight, candidate: candidate[i]!, incumbent: incumbent[i]! }));
}

const mostClasses = 10;

function offlineOf({ passed, reasons, frozen, recent, classes }: OfflineVerdict): PromotionRecord["offline"] {
  const told = ({ items, candidate, incumbent, difference, margin, pValue, nonInferior }: PairedVerdict) => {
    return { items, candidate, incumbent, difference, margin, p_value: pValue, passed: nonInferior };
  };
  return {
    ...{ passed, reasons, frozen: told(frozen), recent: recent && told(recent) },
    classes: classes.slice(0, mostClasses).map(({ label, items, difference, pValue, hasFallen }) => {
      return { label, items, difference, p_value: pValue, has_fallen: hasFallen };
    }),
  };
}
