/** Graders on their own: tried on one answer, and checked, before an eval or a job is made of them. */
import { ApiError } from "../../shared/errors.ts";
import type { Asking } from "../../shared/evals/asking.ts";
import { checkGrader, checkGraderModels, modelFields } from "../../shared/evals/checkGraders.ts";
import { type Grade, gradeBy } from "../../shared/evals/graders.ts";
import type { NamedModels } from "../../shared/evals/namedModels.ts";
import { RuleError } from "../../shared/evals/ruleError.ts";
import { newId } from "../../shared/ids.ts";
import type { Meter } from "../../shared/inference/metered.ts";
import { heavyModel } from "../../shared/inference/queuedModels.ts";
import { type Asked, meteredOf } from "../../shared/pricing/asked.ts";
import type { Grader } from "../../shared/schemas/evalGrader.ts";
import type { GraderRun, RunGrader } from "../../shared/schemas/graderRun.ts";
import type { Project } from "../../shared/schemas/project.ts";

export interface GraderService {
  validate(project: Project, grader: Grader): Promise<Grader>;
  run(project: Project, request: RunGrader, signal: AbortSignal): Promise<GraderRun>;
}

interface Needs {
  context: Asking["context"];
  named: NamedModels;
  heavyBytes: number;
  meter: Meter;
}

export function createGraderService({ context, named, heavyBytes, meter }: Needs): GraderService {
  const validate: GraderService["validate"] = async (project, grader) => {
    checkGrader(grader, "grader");
    await checkGraderModels(named, project, grader, "grader");
    return grader;
  };
  /** Workers answer for what is too heavy to be run where a request lands; nobody waits for them here. */
  const refuseHeavy = async (project: Project, grader: Grader) => {
    for (const { id, param } of modelFields(grader, "grader")) {
      const { model } = await named.find(project, id, param);
      if (!(await heavyModel(context.models, project, { model: model.id }, heavyBytes))) continue;
      const message = `'${id}' is too heavy to be tried at once: name the grader in an eval, whose runs are workers' work.`;
      throw new ApiError("invalid_value", message, { param });
    }
  };
  return {
    validate,
    async run(project, { model_sample, item = {}, grader: given }, signal) {
      const grader = await validate(project, given as Grader);
      await refuseHeavy(project, grader);
      const asked: Asked[] = [];
      const asking = {
        context,
        named,
        project,
        signal,
        patiently: <T>(ask: () => Promise<T>) => ask(),
        report: () => {},
        onAnswer: (answer: Asked) => void asked.push(answer),
      };
      const sample = { output_text: model_sample, ...outputJson(model_sample) };
      const started = performance.now();
      const seconds = () => (performance.now() - started) / 1000;
      try {
        return answer(grader, await gradeBy(grader, { ...asking, variables: { item, sample } }), seconds());
      } catch (error) {
        // What is busy is worth another try; what the item or the model lacks is the answer.
        if (!(error instanceof RuleError) && !(error instanceof ApiError && error.status < 429)) throw error;
        return { ...answer(grader, { score: 0 }, seconds()), metadata: { ...failed(grader, error, seconds()) } };
      } finally {
        const [name, now] = [newId("request"), Math.floor(Date.now() / 1000)];
        await Promise.all(meteredOf(name, asked, now).map((metered) => meter.add(project.id, metered)));
      }
    },
  };
}

function outputJson(text: string): { output_json?: unknown } {
  try {
    return { output_json: JSON.parse(text) };
  } catch {
    return {};
  }
}

const noErrors: GraderRun["metadata"]["errors"] = {
  formula_parse_error: false,
  invalid_variable_error: false,
  model_grader_parse_error: false,
  model_grader_refusal_error: false,
  model_grader_server_error: false,
  model_grader_server_error_details: null,
  other_error: false,
  python_grader_runtime_error: false,
  python_grader_runtime_error_details: null,
  python_grader_server_error: false,
  python_grader_server_error_type: null,
  sample_parse_error: false,
  truncated_observation_error: false,
  unresponsive_reward_error: false,
};

/** By the code of what went wrong; whatever is not here is another. */
const flags: Record<string, keyof typeof noErrors> = {
  invalid_variable: "invalid_variable_error",
  invalid_formula: "formula_parse_error",
  unreadable_answer: "model_grader_parse_error",
};

function answer(
  { name, type }: Grader,
  { score, uses = [], sub_scores = {} }: Grade,
  execution_time: number,
): GraderRun {
  const tokens = uses.map(({ model, input_tokens, output_tokens }) => [model, input_tokens + output_tokens] as const);
  const perModel: Record<string, number> = {};
  for (const [model, count] of tokens) perModel[model] = (perModel[model] ?? 0) + count;
  const total = uses.length ? tokens.reduce((sum, [, count]) => sum + count, 0) : null;
  const scores = { ...sub_scores, [name]: score };
  return {
    reward: score,
    sub_rewards: sub_scores,
    model_grader_token_usage_per_model: perModel,
    metadata: { name, type, errors: noErrors, execution_time, scores, token_usage: total, sampled_model_name: null },
  };
}

function failed(grader: Grader, error: RuleError | ApiError, seconds: number): GraderRun["metadata"] {
  const flag = flags[error.code] ?? "other_error";
  const errors = { ...noErrors, [flag]: true, model_grader_server_error_details: error.message };
  return { ...answer(grader, { score: 0 }, seconds).metadata, errors };
}
