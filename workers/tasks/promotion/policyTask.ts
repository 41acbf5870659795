/** The task behind a policy's message: looks whether a turn is due, and begins it. */

import { driftOf } from "../../../shared/drift/drift.ts";
import { type TriggerReason, turnDue } from "../../../shared/promotion/trigger.ts";
import { beginTurn, underWay } from "../../../shared/promotion/turn.ts";
import type { FunctionRecord } from "../../../shared/schemas/function.ts";
import type { PolicyRecord } from "../../../shared/schemas/policy.ts";
import { inForce } from "../../../shared/stores/feedback.ts";
import { selectInferences } from "../../../shared/stores/inferenceFilter.ts";
import { takeLease } from "../../lease.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";

const done: Outcome = { type: "done" };
const day = 86_400;
/** Feedback that comes later than this after its answer begins no turn; it is learned from nevertheless. */
const latestFeedback = 7 * day;
/** Seconds: each look has a chance of a false alarm. */
const driftEvery = day / 4;

export function policyTask(context: WorkerContext): Task {
  return async (message, shutdown) => {
    const { policies } = context.stores;
    const policy = await policies.get(message.project_id, message.id);
    if (policy?.status !== "watching") return done;
    const lease = await takeLease(policies, policy, { ...context.config, shutdown });
    if (!lease) return done;
    let changes: Partial<PolicyRecord> = {};
    try {
      changes = await look(context, policy, lease.signal);
    } finally {
      lease.end();
      await policies.wait(policy, lease.attempt, Date.now() + 1000 * context.config.sweepSeconds, changes);
    }
    return done;
  };
}

/** Returns what is to be remembered of the look. */
async function look(
  context: WorkerContext,
  policy: PolicyRecord,
  signal: AbortSignal,
): Promise<Pick<Partial<PolicyRecord>, "drift_looked_at">> {
  const { stores, queue } = context;
  if (await underWay(stores, policy)) return {};
  const called = await stores.functions.get(policy.project_id, policy.function);
  if (!called || !policy.trigger) return {};
  const now = Math.floor(Date.now() / 1000);
  const newRows = await newlyJudged(context, policy);
  const looksForDrift = Boolean(policy.trigger.drift) && newRows > 0 && now - policy.drift_looked_at >= driftEvery;
  const hasDrifted = looksForDrift && (await drifted(context, called, signal));
  const trigger = turnDue(policy.trigger, { newRows, seconds: now - policy.turn_began_at, hasDrifted });
  if (trigger && (await isWithinBudget(context, policy))) {
    const begun = await beginTurn(stores, policy, called, { trigger, by: "policy", reason: reasons[trigger] });
    if (begun) await queue.send("promotion", begun);
  }
  return looksForDrift ? { drift_looked_at: now } : {};
}

async function drifted(
  { stores }: WorkerContext,
  { project_id, name, incumbent_since: since }: FunctionRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await driftOf(stores, project_id, { of: { function: name }, since, signal });
  return found.drifted === true;
}

const reasons: Record<TriggerReason, string> = {
  new_rows: "Enough answers were judged.",
  schedule: "It is time.",
  drift: "What comes in has moved.",
};

/** How many answers were judged since the last turn began; no more are counted than begin one. */
async function newlyJudged({ stores }: WorkerContext, policy: PolicyRecord): Promise<number> {
  const { trigger, turn_began_at: since, project_id } = policy;
  const wanted = trigger?.new_rows ?? 1;
  const filter = { function: policy.function, has_feedback: true, created_after: Math.max(0, since - latestFeedback) };
  let count = 0;
  for await (const inference of selectInferences(stores.inferences, project_id, filter)) {
    if (Object.values(inForce(inference)).some(({ created_at }) => created_at >= since)) count++;
    if (count >= wanted) break;
  }
  return count;
}

async function isWithinBudget({ stores }: WorkerContext, policy: PolicyRecord): Promise<boolean> {
  const { turns_per_day } = policy.budget;
  const latest = await stores.promotions.list(policy.project_id, policy.function, { limit: turns_per_day });
  const today = latest.filter(({ created_at }) => created_at > Date.now() / 1000 - day);
  return today.length < turns_per_day;
}
