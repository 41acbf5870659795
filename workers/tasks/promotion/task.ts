/** The task behind a promotion's message: one step of a turn, told in its row, and a message for the next. */
import { type PromotionState, type PromotionStep, promotionLife } from "../../../shared/promotionStates.ts";
import type { PromotionRecord } from "../../../shared/schemas/promotion.ts";
import type { TransactWrite } from "../../../shared/stores/table.ts";
import type { HeldLease } from "../../lease.ts";
import { inDirectory, leasedTask } from "../../leasedTask.ts";
import { tryOnce } from "../../oneTry.ts";
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

export function promotionTask(context: WorkerContext): Task {
  const attempt = (promotion: PromotionRecord, lease: HeldLease) =>
    inDirectory((directory) => runAttempt({ context, promotion, lease, directory }));
  return leasedTask(context.config, { rows: context.stores.promotions, working: promotionLife.working, attempt });
}

function runAttempt(attempt: Attempt): Promise<Outcome> {
  const { context, promotion, lease } = attempt;
  const rows = context.stores.promotions;
  return tryOnce({
    ...{ context, rows, row: promotion, lease },
    async work() {
      // Between the message and the lease somebody may have moved it.
      if (!promotionLife.working.includes(promotion.status)) return;
      await follow(attempt, await steps[promotion.status as PromotionStep](attempt));
    },
    /** What cannot be done after some tries is left to a human, who may let it go on. */
    fail: ({ message }) => rows.move(promotion, "held", { by: "policy", reason: message, attempt: lease.attempt }),
  });
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
  // The row tells why: the reason may name labels.
  context.log.info({ promotion: promotion.id, from: promotion.status, to }, "promotion moved");
  if (promotionLife.working.includes(to)) await context.queue.send("promotion", promotion);
}
