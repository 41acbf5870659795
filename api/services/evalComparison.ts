/** Two runs of an eval beside each other: their output items read, paired and told apart from chance. */
import { ApiError } from "../../shared/errors.ts";
import * as rules from "../../shared/evals/compare.ts";
import { RuleError } from "../../shared/evals/ruleError.ts";
import { lookUp } from "../../shared/evals/templates.ts";
import type { EvalRecord } from "../../shared/schemas/eval.ts";
import type { EvalComparison } from "../../shared/schemas/evalComparison.ts";
import type { EvalRun } from "../../shared/schemas/evalRun.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { EvalRuns } from "../../shared/stores/evalRuns.ts";
import type { EvalRunService } from "./evalRuns.ts";
import type { EvalService } from "./evals.ts";

export interface ComparisonQuery {
  /** Default: the last completed run but one. */
  a?: string | undefined;
  /** Default: the last completed run. */
  b?: string | undefined;
  class_field?: string | undefined;
  /** Paths, parted by commas. */
  slice_by?: string | undefined;
}

export interface EvalComparisonService {
  compare(project: Project, evalId: string, query: ComparisonQuery): Promise<EvalComparison>;
}

/** Of one run: what can be read and drawn again within one request. */
const mostItems = 20_000;
const page = 500;

export function createEvalComparisonService(
  evalRuns: Pick<EvalRuns, "items">,
  evals: Pick<EvalService, "get">,
  runs: Pick<EvalRunService, "get" | "list">,
): EvalComparisonService {
  const required = async (project: Project, eval_id: string, run_id: string, param: "a" | "b"): Promise<EvalRun> => {
    const run = await runs.get(project, { eval_id, run_id }).catch((error) => {
      throw error instanceof ApiError ? new ApiError(error.code, error.message, { param }) : error;
    });
    if (run.status !== "completed") {
      throw new ApiError("invalid_state", `Run '${run_id}' is ${run.status}: completed ones are compared.`, { param });
    }
    if (run.result_counts.total <= mostItems) return run;
    throw new ApiError("invalid_value", `Run '${run_id}' has more than ${mostItems} items.`, { param });
  };
  const chosen = async (project: Project, evalId: string, { a, b }: ComparisonQuery): Promise<[EvalRun, EvalRun]> => {
    const latest =
      a && b ? [] : (await runs.list(project, evalId, { limit: 2, order: "desc", status: "completed" })).data;
    const [first, second] = [a ?? latest[1]?.id, b ?? latest[0]?.id];
    if (!first || !second) {
      throw new ApiError("invalid_state", "The eval has no two completed runs to compare.", { param: "a" });
    }
    return [await required(project, evalId, first, "a"), await required(project, evalId, second, "b")];
  };
  const outcomesOf = async (project: Project, { id }: EvalRun, fields: Parameters<typeof rules.outcomeOf>[1]) => {
    const outcomes: rules.Outcome[] = [];
    for (let after: string | undefined; ; ) {
      const items = await evalRuns.items({ project_id: project.id, id }, { limit: page, ...(after && { after }) });
      outcomes.push(...items.map((item) => rules.outcomeOf(item, fields)));
      if (items.length < page) return outcomes;
      after = items.at(-1)!.id;
    }
  };

  return {
    async compare(project, evalId, query) {
      const of = await evals.get(project, evalId);
      const [a, b] = await chosen(project, evalId, query);
      const classField = query.class_field ?? rightAnswerOf(of);
      const slices = query.slice_by?.split(",") ?? [];
      const readers = [...(classField === undefined ? [] : [classField]), ...slices].map(readerOf);
      const [first, second] = [await outcomesOf(project, a, readers), await outcomesOf(project, b, readers)];
      const pairing = rules.pairUp(first, second);
      if (pairing.pairs.length < 2) {
        const message = `The runs have ${pairing.pairs.length} items in common that both could grade: too few to compare.`;
        throw new ApiError("invalid_state", message, { param: "b" });
      }
      return comparison(of, [a, b], pairing, { classField, slices });
    },
  };
}

interface Fields {
  classField: string | undefined;
  slices: readonly string[];
}

function comparison(
  of: EvalRecord,
  [a, b]: readonly [EvalRun, EvalRun],
  { pairs, unpaired, errored }: rules.Pairing,
  { classField, slices }: Fields,
): EvalComparison {
  const passes = ({ status }: rules.Outcome) => status === "pass";
  const overall = rules.tested(pairs, passes);
  const share = (passed: number) => passed / pairs.length;
  const classes = classField === undefined ? undefined : rules.byClass(pairs, 0);
  const firstSlice = classField === undefined ? 0 : 1;
  return {
    object: "eval.comparison",
    eval_id: of.id,
    a: { run_id: a.id, model: a.model, passed: share(overall.both + overall.only_a) },
    b: { run_id: b.id, model: b.model, passed: share(overall.both + overall.only_b) },
    pairs: pairs.length,
    unpaired,
    errored,
    overall: { ...overall, bootstrap: rules.meanDifference(pairs, (outcome) => Number(passes(outcome))) },
    criteria: of.testing_criteria.map(({ name }, i) => ({
      testing_criteria: String(name),
      ...rules.tested(pairs, ({ results }) => results[i]!.passed),
      score: rules.meanDifference(pairs, ({ results }) => results[i]!.score),
    })),
    classes: classes ? { field: classField!, ...classes } : null,
    slices: slices.map((field, i) => ({ field, ...rules.sliced(pairs, firstSlice + i) })),
    agreement: rules.agreementOf(pairs),
  };
}

/** The one field that a criterion compares the output with. */
function rightAnswerOf({ testing_criteria }: EvalRecord): string | undefined {
  for (const criterion of testing_criteria) {
    if (criterion.type !== "string_check" || !/^\{\{\s*sample\.output_text\s*\}\}$/.test(criterion.input)) continue;
    const field = /^\{\{\s*(item[^{}]+?)\s*\}\}$/.exec(criterion.reference)?.[1];
    if (field) return field;
  }
  return undefined;
}

/** Null where the item has no such field. */
function readerOf(path: string) {
  return (item: unknown): string | null => {
    try {
      const value = lookUp(path, { item, sample: {} });
      return typeof value === "string" ? value : JSON.stringify(value);
    } catch (error) {
      if (error instanceof RuleError) return null;
      throw error;
    }
  };
}
