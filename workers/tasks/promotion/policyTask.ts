/** The task behind a policy's message: looks whether a turn is due, and begins it. */

import { type TriggerReason, turnDue } from "../../../shared/promotion/trigger.ts";
import { beginTurn, underWay } from "../../../shared/promotion/turn.ts";
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

export function policyTask(context: WorkerContext): Task {
  return async (message, shutdown) => {
    const { policies } = context.stores;
    const policy = await policies.get(message.project_id, message.id);
    if (policy?.status !== "watching") return done;
    const lease = await takeLease(policies, policy, { ...context.config, shutdown });
    if (!lease) return done;
    try {
      await look(context, policy);
    } finally {
      lease.end();
      await policies.wait(policy, lease.attempt, Date.now() + 1000 * context.config.sweepSeconds);
    }
    return done;
  };
}

async function look(context: WorkerContext, policy: PolicyRecord): Promise<void> {
  const { stores, queue } = context;
  if (await underWay(stores, policy)) return;
  const called = await stores.functions.get(policy.project_id, policy.function);
  if (!called) return;
  const trigger = await dueFor(context, policy);
  if (!trigger || !(await isWithinBudget(context, policy))) return;
  const why = { trigger, by: "policy", reason: reasons[trigger] };
  const begun = await beginTurn(stores, policy, called, why);
  if (begun) await queue.send({ kind: "promotion", project_id: begun.project_id, id: begun.id });
}

const reasons: Record<TriggerReason, string> = {
  new_rows: "Enough answers were judged.",
  schedule: "It is time.",
  drift: "What comes in has moved.",
};

async function dueFor({ stores }: WorkerContext, policy: PolicyRecord): Promise<TriggerReason | undefined> {
  const { trigger, turn_began_at: since, project_id } = policy;
  if (!trigger) return undefined;
  const wanted = trigger.new_rows ?? 1;
  const filter = { function: policy.function, has_feedback: true, created_after: Math.max(0, since - latestFeedback) };
  let newRows = 0;
  for await (const inference of selectInferences(stores.inferences, project_id, filter)) {
    if (Object.values(inForce(inference)).some(({ created_at }) => created_at >= since)) newRows++;
    if (newRows >= wanted) break;
  }
  return turnDue(trigger, { newRows, seconds: Date.now() / 1000 - since, hasDrifted: false });
}

async function isWithinBudget({ stores }: WorkerContext, policy: PolicyRecord): Promise<boolean> {
  const { turns_per_day } = policy.budget;
  const latest = await stores.promotions.list(policy.project_id, policy.function, { limit: turns_per_day });
  const today = latest.filter(({ created_at }) => created_at > Date.now() / 1000 - day);
  return today.length < turns_per_day;
}
