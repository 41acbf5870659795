/** The task behind a promotion's message: one step of a turn, told in its row, and a message for the next. */
import { type PromotionState, type PromotionStep, promotionLife } from "../../../shared/promotionStates.ts";
import type { PromotionRecord } from "../../../shared/schemas/promotion.ts";
import type { TransactWrite } from "../../../shared/stores/table.ts";
import { type HeldLease, Stopped, type StopReason } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { canary } from "./canary.ts";
import { checkData } from "./checkData.ts";
import { collect } from "./collect.ts";
import { judge } from "./judge.ts";
import { train } from "./train.ts";

export interface Attempt {
  context: WorkerContext;
  promotion: PromotionRecord;
  lease: HeldLease;
  /** A temporary directory of this attempt's own. */
  directory: string;
}

/** Where a step leads; or what it found out while it must be looked at again later. */
export type Next =
  | {
      to: PromotionState;
      reason: string;
      changes?: Partial<PromotionRecord>;
      /** Rows that change with it or not at all. */
      writes?: readonly TransactWrite[];
    }
  | { wait: number; changes?: Partial<PromotionRecord> };

const steps: Record<PromotionStep, (attempt: Attempt) => Promise<Next>> = {
  collecting: collect,
  checking_data: checkData,
  training: train,
  judging: judge,
  canary,
};

const done: Outcome = { type: "done" };

export function promotionTask(context: WorkerContext): Task {
  const attempt = (promotion: PromotionRecord, lease: HeldLease) =>
    inDirectory((directory) => runAttempt({ context, promotion, lease, directory }));
  return leasedTask(context.config, { rows: context.stores.promotions, working: promotionLife.working, attempt });
}

async function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, promotion, lease } = attempt;
  try {
    if (promotion.failures >= context.config.maxAttempts) throw new Error("the worker died while at work on it");
    // Between the message and the lease somebody may have moved it.
    if (!promotionLife.working.includes(promotion.status)) return done;
    await follow(attempt, await steps[promotion.status as PromotionStep](attempt));
    return done;
  } catch (error) {
    if (lease.signal.aborted) return await putDown(attempt, new Stopped(lease.signal.reason as StopReason));
    return await retryOrHold(attempt, error as Error);
  }
}

async function follow({ context, promotion, lease }: Attempt, next: Next): Promise<void> {
  const { promotions } = context.stores;
  const { attempt } = lease;
  if ("wait" in next) {
    await promotions.wait(promotion, attempt, Date.now() + 1000 * next.wait, next.changes);
    return;
  }
  const { to, ...why } = next;
  // Losing the race to a human, or to a change of the function, is no error: the row says what is to be done now.
  if (!(await promotions.move(promotion, to, { by: "policy", attempt, ...why }))) return;
  context.log.info({ promotion: promotion.id, from: promotion.status, to, reason: next.reason }, "promotion moved");
  const { project_id, id } = promotion;
  if (promotionLife.working.includes(to)) await context.queue.send({ kind: "promotion", project_id, id });
}

async function putDown({ context, promotion, lease }: Attempt, { reason }: Stopped): Promise<Outcome> {
  if (reason === "lost") return done;
  await context.stores.promotions.release(promotion, lease.attempt);
  return { type: "retry", seconds: 0 };
}

/** What cannot be done after some tries is left to a human, who may let it go on. */
async function retryOrHold({ context, promotion, lease }: Attempt, error: Error): Promise<Outcome> {
  const { promotions } = context.stores;
  const failures = promotion.failures + 1;
  context.log.error({ promotion: promotion.id, failures, error }, "attempt failed");
  if (failures < context.config.maxAttempts) {
    await promotions.release(promotion, lease.attempt, { failures });
    return { type: "retry", seconds: 2 ** failures };
  }
  const cause = `Gave up after ${context.config.maxAttempts} attempts: ${error.message.split("\n", 1)[0]}`;
  await promotions.move(promotion, "held", { by: "policy", reason: cause, attempt: lease.attempt });
  return { type: "buried", cause };
}
