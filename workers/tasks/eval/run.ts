/** Second step: items are evaluated, several at a time, from the first that has no output; each part of them counts at once or not at all. */
import { join } from "node:path";
import { readJsonLines } from "../../../shared/data/jsonLines.ts";
import type { Asking } from "../../../shared/evals/asking.ts";
import { type Evaluated, evaluate, type Plan } from "../../../shared/evals/evaluate.ts";
import { createNamedModels } from "../../../shared/evals/namedModels.ts";
import { derivedId } from "../../../shared/ids.ts";
import { type Asked, recordsOf } from "../../../shared/pricing/asked.ts";
import type { Grader } from "../../../shared/schemas/evalGrader.ts";
import type { EvalContent } from "../../../shared/schemas/evalRun.ts";
import type { NewOutputItem } from "../../../shared/stores/evalRuns.ts";
import { Stopped } from "../../lease.ts";
import { inOrder } from "../batch/inOrder.ts";
import { askPatiently, unlessAborted } from "../patience.ts";
import { chargeRow } from "../receipt.ts";
import type { Attempt } from "./attempt.ts";
import { sumUp } from "./sums.ts";

/** So many at once that the model host can run them as full batches. */
const window = 32;
/** A killed worker's successor does no more again than this. One transaction takes 100 rows and 4 MB. */
const mostItems = 32;
const mostMilliseconds = 2_000;

/** Moves the run to `completed`. Throws `Stopped` where it must be put down, also because others wait. */
export async function runItems(attempt: Attempt): Promise<void> {
  const { context, run, lease, directory, halt } = attempt;
  const path = join(directory, "gathered.jsonl");
  await context.stores.objects.download(run.items_key!, path);
  const source = await context.stores.evalRuns.readSource(run);
  const plan = { source, criteria: attempt.eval.testing_criteria as Grader[] };
  const turn = { end: Date.now() + context.config.batchTurnSeconds * 1000, isThrough: false };
  const work = async (item: EvalContent): Promise<Done> => {
    const asked: Asked[] = [];
    const asking = { ...askingOf(attempt), onAnswer: (answer: Asked) => void asked.push(answer) };
    return { ...(await unlessAborted(evaluate(asking, plan, item), halt)), asked };
  };
  let part: Done[] = [];
  let since = Date.now();
  for await (const evaluated of inOrder(itemsFrom(attempt, path, turn), window, work)) {
    part.push(evaluated);
    if (part.length < mostItems && Date.now() - since < mostMilliseconds) continue;
    await storePart(attempt, plan, part);
    part = [];
    since = Date.now();
  }
  await storePart(attempt, plan, part);
  halt.throwIfAborted();
  if (!turn.isThrough) throw new Stopped("shutdown");
  const changes = { lease: null };
  if (!(await context.stores.evalRuns.transition(run, "completed", { attempt: lease.attempt, changes }))) {
    throw new Stopped("lost");
  }
}

/** An item with all that models were asked for it. */
type Done = Evaluated & { asked: Asked[] };

/** Those without an output, until the turn is over. */
async function* itemsFrom({ run, halt }: Attempt, path: string, turn: { end: number; isThrough: boolean }) {
  let place = 0;
  const first = run.next_item;
  for await (const item of readJsonLines<EvalContent>(path)) {
    halt.throwIfAborted();
    if (place++ < first) continue;
    yield item;
    // Behind an item, so that the shortest turn gets somewhere.
    if (Date.now() > turn.end) return;
  }
  turn.isThrough = true;
}

function askingOf({ context, project, run, halt }: Attempt): Asking {
  return {
    context: context.inference,
    named: createNamedModels(context.inference.models, context.stores.functions),
    project,
    signal: halt,
    patiently: (ask) => askPatiently(ask, halt),
    report: (error) => context.log.error({ eval_run: run.id, error }, "item failed"),
  };
}

/** Throws `Stopped` where the lease is lost; then the part counts for nothing. */
async function storePart({ context, run, lease, halt }: Attempt, plan: Plan, part: readonly Done[]) {
  if (part.length === 0) return;
  halt.throwIfAborted();
  const { evalRuns } = context.stores;
  const created_at = Math.floor(Date.now() / 1000);
  const items = part.map(({ status, content }, i): NewOutputItem => {
    const place = run.next_item + i;
    const { project_id, id: run_id, eval_id } = run;
    // Ids sort as the items do, and are the same whoever evaluates them.
    const id = derivedId("eval_item", run.created_at * 1000 + place, `${run_id}#${place}`);
    return { id, project_id, run_id, eval_id, created_at, status, datasource_item_id: place, content };
  });
  const name = `${run.id}#${run.next_item}`;
  const asked = part.flatMap((item) => item.asked);
  const charge = chargeRow(context, run, { name, records: recordsOf(context.config.prices, name, asked, created_at) });
  const changes = {
    ...charge.changes,
    ...sumUp(run, plan.criteria, part),
    next_item: run.next_item + part.length,
    // Getting further ends a row of failures: only a run that is stuck runs out of attempts.
    failures: 0,
  };
  if (!(await evalRuns.recordItems(run, lease.attempt, changes, await evalRuns.prepare(items), charge.writes))) {
    throw new Stopped("lost");
  }
  Object.assign(run, changes);
}
