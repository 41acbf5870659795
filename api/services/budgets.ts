/** What projects may spend, as their organization's admin keys see and set it. */
import { type BalanceStores, balanceOf, leftOf } from "../../shared/budget/balance.ts";
import type { Verdicts } from "../../shared/budget/verdicts.ts";
import { ApiError, notFound } from "../../shared/errors.ts";
import { nanosPerUnit } from "../../shared/pricing/prices.ts";
import type { SpendLimit, UpdateSpendLimit } from "../../shared/schemas/budget.ts";
import type { Actor } from "../../shared/schemas/organization.ts";
import { auditWrite } from "../../shared/stores/auditLogs.ts";
import type { ProjectService } from "./projects.ts";

export interface BudgetService {
  /** 404 where the project has none. */
  get(actor: Actor, project: string): Promise<SpendLimit>;
  set(actor: Actor, project: string, limit: UpdateSpendLimit): Promise<SpendLimit>;
  delete(actor: Actor, project: string): Promise<void>;
}

const nanosPerCent = nanosPerUnit / 100;

export function createBudgetService(
  stores: BalanceStores,
  projects: Pick<ProjectService, "require" | "requireActive">,
  verdicts: Pick<Verdicts, "forget">,
  currency: string,
): BudgetService {
  const get: BudgetService["get"] = async (actor, id) => {
    await projects.require(actor, id);
    const balance = await balanceOf(stores, id);
    if (!balance) throw notFound("spend limit of project", id);
    return {
      object: "project.spend_limit",
      threshold_amount: balance.limit.nanos / nanosPerCent,
      currency: currency.toUpperCase(),
      interval: "month",
      enforcement: { status: leftOf(balance) > 0 ? "inactive" : "enforcing" },
      spent_amount: balance.spent / nanosPerCent,
      reserved_amount: balance.reserved / nanosPerCent,
    };
  };
  return {
    get,
    async set(actor, id, limit) {
      const project = await projects.requireActive(actor, id);
      if (limit.currency.toLowerCase() !== currency) {
        const message = `Prices here are in ${currency.toUpperCase()}, and so are limits.`;
        throw new ApiError("invalid_value", message, { param: "currency" });
      }
      const details = { id, changes_requested: { spend_limit: limit } };
      const audit = auditWrite(actor, { type: "project.updated", details, project });
      await stores.budgets.setLimit(id, Math.round(limit.threshold_amount * nanosPerCent), [audit]);
      verdicts.forget(id);
      return get(actor, id);
    },
    async delete(actor, id) {
      const project = await projects.requireActive(actor, id);
      const details = { id, changes_requested: { spend_limit: null } };
      const audit = auditWrite(actor, { type: "project.updated", details, project });
      if (!(await stores.budgets.deleteLimit(id, [audit]))) throw notFound("spend limit of project", id);
      verdicts.forget(id);
    },
  };
}
