/** Definitions of evals become evals; what runs of them came to is told. Known by their old ids, which are in their metadata. */
import OpenAI from "openai";
import type { EvalCreateParams } from "openai/resources/evals/evals";
import type { Calls } from "./calls.ts";
import type { Export } from "./folder.ts";
import type { OpenAiEval, OpenAiEvalRun } from "./openAiObjects.ts";
import { type Outcome, reasonOf } from "./outcome.ts";

const label = "openai_eval";
const noEvals = "this deployment has no /v1/evals";

export async function importEvals(calls: Calls, { evals, evalRuns }: Pick<Export, "evals" | "evalRuns">) {
  const outcomes: Outcome[] = [];
  const here = evals.length > 0 ? await evalsHere(calls) : new Map<string, string>();
  for (const [i, each] of evals.entries()) {
    calls.progress("evals", i, evals.length);
    const earlier = here?.get(each.id);
    if (!here) outcomes.push({ of: each.id, id: null, state: "left", note: noEvals });
    else if (earlier) outcomes.push({ of: each.id, id: earlier, state: "present", note: each.name ?? null });
    else outcomes.push(await create(calls, each));
  }
  return { outcomes, runs: evalRuns.map(historyOf) };
}

/** By the id there; undefined where the deployment knows no evals. */
async function evalsHere({ client, signal }: Calls): Promise<Map<string, string> | undefined> {
  const here = new Map<string, string>();
  try {
    for await (const { id, metadata } of client.evals.list({ limit: 100 }, { signal })) {
      if (metadata?.[label]) here.set(metadata[label], id);
    }
    return here;
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) return undefined;
    throw error;
  }
}

async function create({ client, signal }: Calls, each: OpenAiEval): Promise<Outcome> {
  const body = {
    name: each.name ?? undefined,
    data_source_config: sourceOf(each),
    // Ids of criteria are given anew.
    testing_criteria: each.testing_criteria.map(({ id: _, ...criterion }) => criterion),
    metadata: { ...each.metadata, [label]: each.id },
  };
  try {
    const { id } = await client.evals.create(body as unknown as EvalCreateParams, { signal });
    return { of: each.id, id, state: "imported", note: each.name ?? null };
  } catch (error) {
    signal.throwIfAborted();
    return { of: each.id, id: null, state: "left", note: reasonOf(error) };
  }
}

/** As it was asked for: the answer's schema holds the item's and, where samples were wanted, theirs. */
function sourceOf({ data_source_config: config }: OpenAiEval) {
  if (config.type !== "custom") return config;
  const properties = (config.schema as { properties?: Record<string, unknown> } | undefined)?.properties ?? {};
  return {
    type: "custom",
    item_schema: properties.item ?? { type: "object" },
    include_sample_schema: "sample" in properties,
  };
}

function historyOf({ id, eval_id, name, model, status, result_counts: counts }: OpenAiEvalRun) {
  return { id, eval_id, name: name ?? null, model: model ?? null, status, result_counts: counts ?? null };
}
export type RunHistory = ReturnType<typeof historyOf>;
