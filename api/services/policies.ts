/** Policies as a client sees them: what a function's turns are made of, checked before any of them begins. */

import { ApiError, notFound } from "../../shared/errors.ts";
import { createFunctionChanger } from "../../shared/experiments/functionChanges.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import { usualDataRules } from "../../shared/promotion/dataGate.ts";
import { usualOfflineRules } from "../../shared/promotion/offlineGate.ts";
import type { FunctionRecord } from "../../shared/schemas/function.ts";
import type { Policy, PolicyRecord, PutPolicy } from "../../shared/schemas/policy.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";

export interface PolicyService {
  get(project: Project, name: string): Promise<PolicyRecord>;
  /** Turns that have begun go on as they were. */
  put(project: Project, name: string, request: PutPolicy): Promise<Policy>;
}

type Needs = Pick<Stores, "policies" | "datasets" | "metrics" | "files" | "functions">;

const day = 86_400;

export function createPolicyService(stores: Needs, models: ModelLookUp): PolicyService {
  const functions = createFunctionChanger(stores.functions, models);
  return {
    async get(project, name) {
      const { name: own } = await functions.require(project, name);
      const found = await stores.policies.get(project.id, own);
      if (!found) throw notFound("policy", own, "name");
      return found;
    },
    async put(project, name, request) {
      for (;;) {
        const called = await functions.require(project, name);
        await check(stores, models, project, request);
        const earlier = await stores.policies.get(project.id, called.name);
        const record = recordOf(called, request, earlier);
        const isDone = earlier ? await stores.policies.replace(earlier, record) : await stores.policies.create(record);
        // Whoever loses the race looks again.
        if (isDone) return record;
      }
    },
  };
}

async function check(stores: Needs, models: ModelLookUp, project: Project, request: PutPolicy): Promise<void> {
  const { training, test_set, recipe, metric_name, canary } = request;
  const base = await models.base(training.model);
  if (!base || base.architecture === "onnx") {
    const message = `'${training.model}' is no base model to train from.`;
    throw new ApiError("model_not_found", message, { param: "training.model" });
  }
  const version = await stores.datasets.version(project.id, test_set.dataset, test_set.version);
  if (version?.status !== "ready" || !version.rows?.test) {
    const message = `Version ${test_set.version} of dataset '${test_set.dataset}' is not there, not ready or has no test rows.`;
    throw new ApiError("invalid_value", message, { param: "test_set" });
  }
  for (const [i, source] of recipe.sources.entries()) {
    if (source.type !== "file" || (await stores.files.get(project.id, source.file_id))) continue;
    const param = `recipe.sources[${i}].file_id`;
    throw new ApiError("invalid_value", `No such file: '${source.file_id}'.`, { param });
  }
  await checkMetric(stores, project, metric_name);
  if (!canary) return;
  if (!metric_name) {
    throw new ApiError("invalid_value", "A canary is read by a metric: name one.", { param: "metric_name" });
  }
  if (canary.shares.some((share, i) => i > 0 && share < canary.shares[i - 1]!)) {
    throw new ApiError("invalid_value", "No share may be less than the one before.", { param: "canary.shares" });
  }
}

async function checkMetric({ metrics }: Needs, project: Project, name: string | null | undefined): Promise<void> {
  if (!name) return;
  const metric = await metrics.get(project.id, name);
  if (metric?.type === "boolean" && metric.level === "inference" && metric.optimize === "max") return;
  const message = `'${name}' is no declared boolean metric on inferences of which true is better.`;
  throw new ApiError("invalid_value", message, { param: "metric_name" });
}

function recordOf({ name, project_id }: FunctionRecord, request: PutPolicy, earlier?: PolicyRecord): PolicyRecord {
  const now = Math.floor(Date.now() / 1000);
  const { trigger = null, recipe, test_set, training, metric_name = null, gate, canary, budget } = request;
  const { model, hyperparameters, seed = null } = training;
  const auto = { n_epochs: "auto", batch_size: "auto", learning_rate_multiplier: "auto" } as const;
  return {
    id: name,
    object: "policy",
    function: name,
    ...{ trigger, recipe, test_set, metric_name },
    training: { model, hyperparameters: { ...auto, ...hyperparameters }, seed },
    gate: { ...usualOfflineRules, ...usualDataRules, ...gate },
    canary: canary ? { outcomes: 2000, patience_seconds: 7 * day, ...canary } : null,
    budget: { turns_per_day: 24, job_seconds: day, ...budget },
    turns: earlier?.turns ?? 0,
    promotion_id: earlier?.promotion_id ?? null,
    turn_began_at: earlier?.turn_began_at ?? now,
    created_at: earlier?.created_at ?? now,
    updated_at: now,
    project_id,
    status: trigger ? "watching" : "idle",
    passed_version: earlier?.passed_version ?? null,
    drift_looked_at: earlier?.drift_looked_at ?? 0,
    ...{ revision: earlier?.revision ?? 0, lease: null, failures: 0 },
  };
}
