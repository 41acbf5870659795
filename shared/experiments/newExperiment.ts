/** An experiment as it begins, from what is asked for; whatever cannot be compared is refused by name. */
import { ApiError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { CreateExperiment, ExperimentRecord } from "../schemas/experiment.ts";
import type { FunctionRecord } from "../schemas/function.ts";
import type { MetricRecord } from "../schemas/metric.ts";
import { requireVariant } from "./functionChanges.ts";

export interface Beginning {
  called: FunctionRecord;
  metric: MetricRecord;
  by: string;
  request: CreateExperiment;
}

type Method = ExperimentRecord["method"];

const usualHorizon = 2000;
const usualFloor = 0.1;
/** Of two arms, the second of the top two is always the other: half and half would learn nothing. */
const leaderOfTwo = 0.8;
const usualCertainty = 0.99;
const usualLeastOutcomes = 100;

const refuse = (param: string, why: string) => new ApiError("invalid_value", `'${param}' ${why}.`, { param });

/** Throws ApiError naming the field at fault. */
export function newExperiment({ called, metric, by, request }: Beginning): ExperimentRecord {
  checkArms(called, request);
  const method = methodOf(request, metric);
  const arms = sharesOf(request).map((share, i) => ({ variant: request.arms[i]!.variant, share }));
  const { name, type, level, optimize } = metric;
  return {
    id: newId("experiment"),
    object: "experiment",
    function: called.name,
    description: request.description ?? null,
    status: "running",
    method,
    metric: { name, type, level, optimize },
    control: called.incumbent,
    arms,
    enrolled_share: request.enrolled_share ?? 1,
    horizon: request.horizon ?? usualHorizon,
    guardrails: guardrailsOf(request),
    winner: null,
    end_reason: null,
    ended_by: null,
    created_by: by,
    created_at: Math.floor(Date.now() / 1000),
    ended_at: null,
    project_id: called.project_id,
    stages: [arms.map(({ share }) => share)],
    revision: 0,
  };
}

function checkArms({ variants, incumbent, name }: FunctionRecord, { arms }: CreateExperiment): void {
  for (const [i, { variant }] of arms.entries()) {
    const param = `arms[${i}].variant`;
    requireVariant(variants, variant, param);
    if (arms.findIndex((arm) => arm.variant === variant) < i) throw refuse(param, `repeats '${variant}'`);
  }
  if (!arms.some(({ variant }) => variant === incumbent)) {
    throw refuse("arms", `must hold the incumbent of '${name}', '${incumbent}', with which others are compared`);
  }
}

function sharesOf({ arms, method }: CreateExperiment): number[] {
  const given = arms.flatMap(({ share }) => share ?? []);
  if (given.length === 0) return arms.map(() => 1 / arms.length);
  if (method.type === "adaptive") throw refuse("arms", "have shares, which an adaptive experiment finds by itself");
  if (given.length < arms.length) throw refuse("arms", "have shares for some: give all of them one, or none");
  const empty = given.indexOf(0);
  if (empty >= 0) throw refuse(`arms[${empty}].share`, "is 0: an arm without a share cannot be compared");
  const sum = given.reduce((all, share) => all + share, 0);
  if (Math.abs(sum - 1) > 1e-6) throw refuse("arms", `have shares whose sum is ${sum}, not 1`);
  return given.map((share) => share / sum);
}

function methodOf({ method, arms }: CreateExperiment, metric: MetricRecord): Method {
  if (method.type === "fixed") return method;
  const equal = 1 / arms.length;
  const { floor_share = Math.min(usualFloor, equal / 2), range } = method;
  if (floor_share > equal) throw refuse("method.floor_share", `is more than an equal share of ${arms.length} arms`);
  const [least, greatest] = range ?? [0, 1];
  if (!(least! < greatest!)) throw refuse("method.range", "must begin below its end");
  if (metric.type === "float" && !range) {
    const message = `'${metric.name}' takes numbers: 'method.range' must say the least and the greatest of them.`;
    throw new ApiError("missing_required_parameter", message, { param: "method.range" });
  }
  const { leader_share = arms.length > 2 ? 0.5 : leaderOfTwo } = method;
  const { certainty = usualCertainty, least_outcomes = usualLeastOutcomes, promote_winner = false } = method;
  const bounds = metric.type === "float" ? [least!, greatest!] : [0, 1];
  return { type: "adaptive", floor_share, leader_share, certainty, least_outcomes, range: bounds, promote_winner };
}

function guardrailsOf({ guardrails = [] }: CreateExperiment): ExperimentRecord["guardrails"] {
  for (const [i, { name }] of guardrails.entries()) {
    if (guardrails.findIndex((other) => other.name === name) < i) throw refuse(`guardrails[${i}].name`, "is repeated");
  }
  return guardrails;
}
