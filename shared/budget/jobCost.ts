/** What a fine-tuning job is expected to take and to cost. */
import { architectureOf, rootOf } from "../baseModels.ts";
import { nanosOf, type Prices } from "../pricing/prices.ts";
import type { Pace } from "../schemas/budget.ts";
import { hyperparametersOf, type JobRecord } from "../schemas/fineTuningJob.ts";
import type { Budgets } from "../stores/budgets.ts";
import { type Estimate, estimate, shapeOf } from "./estimate.ts";

/** What tells how long a job takes. */
export type JobPlan = Pick<JobRecord, "model" | "method" | "material_bytes">;

/** Jobs of one name are alike. */
export function paceName({ model, method }: JobPlan): string {
  const contrastive = method.type === "pretrain" && method.pretrain?.contrastive ? "#contrastive" : "";
  return `${rootOf(model)}#${method.type}${contrastive}`;
}

function shapeFor({ model, method }: JobPlan) {
  const kind = architectureOf(model);
  return shapeOf(`${rootOf(model)}#${method.type}`, `${kind}#${method.type}`, `${kind}#supervised`);
}

function epochsOf({ method }: JobPlan): { epochs?: number } {
  const asked = hyperparametersOf(method)?.n_epochs;
  return typeof asked === "number" ? { epochs: asked } : {};
}

export async function estimateJob(budgets: Pick<Budgets, "paces">, plan: JobPlan): Promise<Estimate> {
  const material = { bytes: plan.material_bytes ?? 0, ...epochsOf(plan) };
  return estimate(shapeFor(plan), material, await budgets.paces(paceName(plan)));
}

/** Of a job that is done; undefined where the size of its material is not known. */
export function paceOf(job: JobPlan, { tokens, seconds }: Pick<Pace, "tokens" | "seconds">): Pace | undefined {
  return job.material_bytes ? { bytes: job.material_bytes, ...epochsOf(job), tokens, seconds } : undefined;
}

/** In billionths; a teacher reads all texts once, before they are learnt from. */
export function nanosOfJob(prices: Prices, { model, method }: JobPlan, { tokens, seconds }: Estimate): number {
  const learning = {
    kind: "fine_tuning",
    model,
    input_tokens: tokens,
    milliseconds: Math.round(seconds * 1000),
  } as const;
  if (method.type !== "distill") return nanosOf(prices, learning);
  const asked = { kind: "decisions", model: method.distill.teacher, input_tokens: tokens } as const;
  return nanosOf(prices, learning) + nanosOf(prices, asked);
}
