/** What a run's row says of all items so far. */
import type { Evaluated } from "../../../shared/evals/evaluate.ts";
import type { Grader } from "../../../shared/schemas/evalGrader.ts";
import type { EvalRunRecord, ModelUsage } from "../../../shared/schemas/evalRun.ts";

type Sums = Pick<EvalRunRecord, "result_counts" | "per_testing_criteria_results" | "per_model_usage">;

export function sumUp(before: Sums, criteria: readonly Grader[], part: readonly Evaluated[]): Sums {
  const of = (status: Evaluated["status"]) => part.filter((each) => each.status === status).length;
  const { result_counts: counts } = before;
  return {
    result_counts: {
      total: counts.total + part.length,
      passed: counts.passed + of("pass"),
      failed: counts.failed + of("fail"),
      errored: counts.errored + of("error"),
    },
    per_testing_criteria_results: criteria.map(({ name }, i) => {
      const { passed = 0, failed = 0, errored = 0 } = before.per_testing_criteria_results[i] ?? {};
      const results = part.map(({ content }) => content.results[i]);
      // An item without an answer has no results.
      const unknown = results.filter((result) => !result || result.error).length;
      const good = results.filter((result) => result && !result.error && result.passed).length;
      return {
        testing_criteria: name,
        passed: passed + good,
        failed: failed + part.length - unknown - good,
        errored: errored + unknown,
      };
    }),
    per_model_usage: usage(before.per_model_usage, part),
  };
}

function usage(before: readonly ModelUsage[], part: readonly Evaluated[]): ModelUsage[] {
  const sums = new Map(before.map((each) => [each.model_name, { ...each }]));
  for (const { model, input_tokens, output_tokens } of part.flatMap(({ uses }) => uses)) {
    const sum = sums.get(model) ?? none(model);
    sum.invocation_count++;
    sum.prompt_tokens += input_tokens;
    sum.completion_tokens += output_tokens;
    sum.total_tokens += input_tokens + output_tokens;
    sums.set(model, sum);
  }
  return [...sums.values()];
}

function none(model_name: string): ModelUsage {
  return { model_name, invocation_count: 0, prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cached_tokens: 0 };
}
