/** Promotions as a client sees them: turns asked for, looked at, and held, passed or taken back by people. */

import { ApiError, notFound } from "../../shared/errors.ts";
import { createExperimentChanger } from "../../shared/experiments/experimentChanges.ts";
import { createFunctionChanger } from "../../shared/experiments/functionChanges.ts";
import { isId } from "../../shared/ids.ts";
import type { FunctionRouting } from "../../shared/inference/functionRouting.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import { crown, uncrown } from "../../shared/promotion/crown.ts";
import { beginTurn, underWay } from "../../shared/promotion/turn.ts";
import {
  type HumanVerb,
  type PromotionState,
  promotionLife,
  stepAfter,
  stopOf,
  verbStates,
} from "../../shared/promotionStates.ts";
import type { FunctionRecord } from "../../shared/schemas/function.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Promotion, PromotionRecord } from "../../shared/schemas/promotion.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { TransactWrite } from "../../shared/stores/table.ts";
import type { Caller } from "./aliases.ts";
import type { Delivery } from "./delivery.ts";
import type { PolicyService } from "./policies.ts";

export interface PromotionService {
  /** Refused while another turn is under way. */
  turn(caller: Caller, name: string): Promise<Promotion>;
  get(project: Project, name: string, id: string): Promise<Promotion>;
  list(
    project: Project,
    name: string,
    options: { limit: number; after?: string | undefined },
  ): Promise<Page<Promotion>>;
  /** Of what has been done already, nothing is done. */
  change(
    caller: Caller,
    target: { name: string; id: string; verb: HumanVerb; reason?: string | undefined },
  ): Promise<Promotion>;
}

type Needs = Pick<Stores, "policies" | "promotions" | "functions" | "experiments" | "metrics">;

export interface PromotionParts {
  models: ModelLookUp;
  policies: Pick<PolicyService, "get">;
  routing: Pick<FunctionRouting, "forget">;
  delivery: Delivery;
}

/** What a verb makes of a promotion; undefined: it is so already. Throws where the state forbids it. */
function targetOf(promotion: PromotionRecord, verb: HumanVerb): PromotionState | undefined {
  const { status, step, policy } = promotion;
  const isDone = {
    hold: status === "held",
    resume: promotionLife.working.includes(status),
    force: false,
    revert: false,
  };
  if (isDone[verb]) return undefined;
  const isGated = step === "checking_data" || step === "judging" || step === "canary";
  if (!verbStates[verb].includes(status) || (verb === "force" && !isGated)) {
    throw new ApiError("invalid_state", `A promotion that is ${status} at ${step} cannot take '${verb}'.`, {
      param: "id",
    });
  }
  if (verb === "hold") return "held";
  if (verb === "resume") return step;
  if (verb === "force") return stepAfter(step, policy.canary !== null);
  return status === "promoted" ? "rolled_back" : stopOf(step);
}

export function createPromotionService(
  stores: Needs,
  { models, policies, routing, delivery }: PromotionParts,
): PromotionService {
  const functions = createFunctionChanger(stores.functions, models);
  const experiments = createExperimentChanger(stores, functions);
  const find = async (project: Project, name: string, id: string): Promise<PromotionRecord> => {
    const called = await functions.require(project, name);
    const found = isId("promotion", id) ? await stores.promotions.get(project.id, id) : undefined;
    if (found?.function !== called.name) throw notFound("promotion", id);
    return found;
  };

  /** What else changes with it: who answers, to be written together with it, or the canary, which comes first. */
  const settle = async ({ project, key }: Caller, promotion: PromotionRecord, to: PromotionState, reason: string) => {
    const called = await functions.require(project, promotion.function);
    if (promotion.status === "promoted") {
      checkAnswers(called, promotion);
      return [stores.functions.changeWrite(called, uncrown(called, promotion, reason))];
    }
    if (promotion.experiment_id === null) {
      return to === "promoted" ? [stores.functions.changeWrite(called, crown(called, promotion))] : [];
    }
    const { status, id } = await experiments.require(project, promotion.experiment_id);
    if (status === "ended") return [];
    if (to === "held") await experiments.pause(project, id);
    else if (to === "canary") await experiments.resume(project, id);
    else {
      const winner = to === "promoted" ? promotion.candidate : null;
      await experiments.end(project, id, { winner, isPromoted: winner !== null, by: key, reason });
    }
    return [];
  };

  return {
    async turn({ project, key }, name) {
      for (;;) {
        const policy = await policies.get(project, name);
        const called = await functions.require(project, name);
        const other = await underWay(stores, policy);
        if (other) throw new ApiError("invalid_state", `The turn '${other.id}' is ${other.status}.`, { param: "name" });
        const why = { trigger: "manual" as const, by: key, reason: "Asked for." };
        const begun = await beginTurn(stores, policy, called, why);
        if (!begun) continue;
        await delivery.send(begun);
        return begun;
      }
    },
    get: find,
    async list(project, name, { limit, after }) {
      const called = await functions.require(project, name);
      const options = { limit: limit + 1, ...(after !== undefined && { after }) };
      return toPage(await stores.promotions.list(project.id, called.name, options), limit);
    },
    async change({ project, key }, { name, id, verb, reason = `Asked to ${verb}.` }) {
      for (;;) {
        const promotion = await find(project, name, id);
        const to = targetOf(promotion, verb);
        if (to === undefined) return promotion;
        const writes: TransactWrite[] = await settle({ project, key }, promotion, to, reason);
        if (!(await stores.promotions.move(promotion, to, { by: key, reason, writes }))) continue;
        routing.forget(project.id, promotion.function);
        if (promotionLife.working.includes(to)) await delivery.send(promotion);
        return find(project, name, id);
      }
    },
  };
}

function checkAnswers({ incumbent }: FunctionRecord, { candidate }: PromotionRecord): void {
  if (incumbent === candidate) return;
  const message = `'${incumbent}' answers by now, not '${candidate}': there is nothing to revert.`;
  throw new ApiError("invalid_state", message, { param: "id" });
}
