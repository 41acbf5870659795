/** The begin of a turn, whoever asks for it: one row, and the policy that counts it, or nothing. */
import { newId } from "../ids.ts";
import { promotionLife } from "../promotionStates.ts";
import type { FunctionRecord } from "../schemas/function.ts";
import type { PolicyRecord } from "../schemas/policy.ts";
import type { PromotionRecord } from "../schemas/promotion.ts";
import type { Stores } from "../stores/stores.ts";

type Needs = Pick<Stores, "policies" | "promotions">;

/** The turn that is under way, worked on or held; undefined: a new one may begin. */
export async function underWay({ promotions }: Needs, policy: PolicyRecord): Promise<PromotionRecord | undefined> {
  if (policy.promotion_id === null) return undefined;
  const latest = await promotions.get(policy.project_id, policy.promotion_id);
  return latest && (promotionLife.working.includes(latest.status) || latest.status === "held") ? latest : undefined;
}

/** Undefined where the policy was changed, or another turn begun, since it was read. */
export async function beginTurn(
  { policies, promotions }: Needs,
  policy: PolicyRecord,
  { incumbent }: Pick<FunctionRecord, "incumbent">,
  why: { trigger: PromotionRecord["trigger"]; by: string; reason: string },
): Promise<PromotionRecord | undefined> {
  const now = Math.floor(Date.now() / 1000);
  const { recipe, test_set, training, metric_name, gate, canary, budget } = policy;
  const turn = policy.turns + 1;
  const promotion: PromotionRecord = {
    id: newId("promotion"),
    object: "promotion",
    function: policy.function,
    turn,
    status: "collecting",
    step: "collecting",
    trigger: why.trigger,
    incumbent,
    candidate: `turn-${turn}`,
    // Named now, so that whoever makes them, how often they may die over it, makes one of each.
    dataset_version: newId("dataset_version"),
    fine_tuning_job: newId("job"),
    ...{ model: null, experiment_id: null, data: null, offline: null, canary: null },
    history: [{ from: null, to: "collecting", at: now, by: why.by, reason: why.reason }],
    ...{ created_at: now, finished_at: null, project_id: policy.project_id },
    policy: { recipe, test_set, training, metric_name, gate, canary, budget },
    ...{ passed_version: policy.passed_version, lease: null, failures: 0 },
  };
  const changes = { turns: turn, promotion_id: promotion.id, turn_began_at: now };
  return (await promotions.create(promotion, [policies.turnWrite(policy, changes)])) ? promotion : undefined;
}
