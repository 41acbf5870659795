/** What an eval run is expected to cost: every model that it names reads every item. */
import { modelFields } from "../evals/checkGraders.ts";
import { isAsked } from "../evals/evaluate.ts";
import { type Asked, recordsOf } from "../pricing/asked.ts";
import type { Prices } from "../pricing/prices.ts";
import type { Grader } from "../schemas/evalGrader.ts";
import type { EvalDataSource } from "../schemas/evalRun.ts";
import type { Quoted } from "./balance.ts";
import { estimate, shapeOf } from "./estimate.ts";

export interface EvalPlan {
  id: string;
  source: EvalDataSource;
  criteria: readonly Grader[];
  /** Of the items; 0 where they are recorded inferences, of which nobody knows before they are gathered. */
  bytes: number;
}

export function quoteEval(prices: Prices, { id, source, criteria, bytes }: EvalPlan): Quoted {
  const { tokens, output_tokens } = estimate(shapeOf("eval_run"), { bytes }, []);
  const graders = criteria.flatMap((criterion) => modelFields(criterion, "")).map((field) => field.id);
  const asked = [...(isAsked(source) ? [source.model] : []), ...graders].map((model): Asked => {
    const reads = model.startsWith("ft:");
    const endpoint = reads ? "/v1/decisions" : "/v1/chat/completions";
    return { endpoint, model, usage: { input_tokens: tokens, output_tokens: reads ? 0 : output_tokens } };
  });
  const records = recordsOf(prices, id, asked, Math.floor(Date.now() / 1000));
  return {
    nanos: records.reduce((sum, { nanos }) => sum + nanos, 0),
    tokens: records.reduce((sum, { input_tokens, output_tokens }) => sum + input_tokens + output_tokens, 0),
  };
}
