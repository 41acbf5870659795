/** Runs of evals as a client sees them: asked for, looked at, cancelled and deleted. The work is the workers'. */
import { type BalanceStores, createWithin } from "../../shared/budget/balance.ts";
import { quoteEval } from "../../shared/budget/evalCost.ts";
import { ApiError, notFound } from "../../shared/errors.ts";
import { type EvalRunState, evalRunLife } from "../../shared/evalRunStates.ts";
import { requireAnswering } from "../../shared/evals/asking.ts";
import { checkGraderModels, checkMessages, checkModel } from "../../shared/evals/checkGraders.ts";
import { isAsked } from "../../shared/evals/evaluate.ts";
import { itemCheckOf } from "../../shared/evals/itemSchema.ts";
import type { NamedModels } from "../../shared/evals/namedModels.ts";
import { isId } from "../../shared/ids.ts";
import type { Prices } from "../../shared/pricing/prices.ts";
import type { EvalRecord } from "../../shared/schemas/eval.ts";
import type { Grader } from "../../shared/schemas/evalGrader.ts";
import type { EvalOutputItem } from "../../shared/schemas/evalOutputItem.ts";
import type { CreateEvalRun, EvalDataSource, EvalRun, EvalRunRecord } from "../../shared/schemas/evalRun.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import type { EvalService } from "./evals.ts";
import { requireFile } from "./namedFile.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface RunListing {
  limit: number;
  after?: string | undefined;
  order: "asc" | "desc";
  status?: string | undefined;
}

/** By the ids in its path. */
export interface RunName {
  eval_id: string;
  run_id: string;
}

export interface EvalRunService {
  create(project: Project, evalId: string, request: CreateEvalRun, attempt: Attempt): Promise<EvalRun>;
  get(project: Project, name: RunName): Promise<EvalRun>;
  list(project: Project, evalId: string, listing: RunListing): Promise<Page<EvalRun>>;
  cancel(project: Project, name: RunName): Promise<EvalRun>;
  delete(project: Project, name: RunName): Promise<void>;
  items(project: Project, name: RunName, listing: RunListing): Promise<Page<EvalOutputItem>>;
  item(project: Project, name: RunName, id: string): Promise<EvalOutputItem>;
}

interface Needs {
  stores: BalanceStores & Pick<Stores, "evalRuns" | "files">;
  evals: Pick<EvalService, "get">;
  named: NamedModels;
  delivery: Delivery;
  prices: Prices;
}

export function createEvalRunService({ stores, evals, named, delivery, prices }: Needs): EvalRunService {
  const { evalRuns, files } = stores;
  const open = async (run: EvalRunRecord): Promise<EvalRun> => {
    return { ...run, status: run.status as EvalRun["status"], data_source: await evalRuns.readSource(run) };
  };
  const require = async (project: Project, { eval_id, run_id }: RunName): Promise<EvalRunRecord> => {
    await evals.get(project, eval_id);
    const run = isId("eval_run", run_id) ? await evalRuns.get(project.id, run_id) : undefined;
    if (!run || run.eval_id !== eval_id || run.status === "deleting") throw notFound("eval run", run_id, "run_id");
    return run;
  };
  /** Whoever loses the race with a worker looks again. */
  const move = async (project: Project, name: RunName, to: EvalRunState): Promise<EvalRunRecord> => {
    for (;;) {
      const run = await require(project, name);
      if (run.status === to) return run;
      if (!evalRunLife.before(to).includes(run.status)) {
        const message = `Cannot cancel eval run '${run.id}': it is ${run.status}.`;
        throw new ApiError("invalid_state", message, { param: "run_id" });
      }
      if (await evalRuns.transition(run, to, { from: [run.status], changes: { lease: null } })) {
        return { ...run, status: to };
      }
    }
  };

  return {
    async create(project, evalId, request, attempt) {
      const found = await evals.get(project, evalId);
      const bytes = await checkSource({ files, named }, project, found, request.data_source);
      const id = idFor("eval_run", attempt);
      const earlier = await evalRuns.get(project.id, id);
      if (earlier) return open(earlier);
      const data_source = await evalRuns.storeSource({ project_id: project.id, id }, request.data_source);
      const record = { ...newRun(project, found, id, request), data_source };
      const criteria = found.testing_criteria as Grader[];
      const there = await createWithin(stores, prices.currency, {
        row: record,
        find: () => evalRuns.get(project.id, id),
        quote: async () => quoteEval(prices, { id, source: request.data_source, criteria, bytes }),
        create: (writes, reserved_nanos) =>
          evalRuns.create({ ...record, ...(reserved_nanos !== undefined && { reserved_nanos }) }, writes),
      });
      if (!there) await delivery.send(record);
      return open(there ?? record);
    },
    get: async (project, name) => open(await require(project, name)),
    async list(project, evalId, { limit, after, order, status }) {
      await evals.get(project, evalId);
      const found = await evalRuns.list(project.id, {
        limit: limit + 1,
        descending: order === "desc",
        equals: { eval_id: evalId, ...(status && { status }) },
        ...(after && { after }),
      });
      const page = toPage(
        found.filter((run) => run.status !== "deleting"),
        limit,
      );
      return { ...page, has_more: found.length > limit, data: await Promise.all(page.data.map(open)) };
    },
    cancel: async (project, name) => open(await move(project, name, "canceled")),
    async delete(project, name) {
      await delivery.send(await move(project, name, "deleting"));
    },
    async items(project, name, { limit, after, order, status }) {
      const run = await require(project, name);
      const descending = order === "desc";
      const equals = status === undefined ? {} : { equals: { status } };
      const options = { limit: limit + 1, descending, ...equals, ...(after && { after }) };
      return toPage(await evalRuns.items(run, options), limit);
    },
    async item(project, name, id) {
      const run = await require(project, name);
      const found = isId("eval_item", id) ? await evalRuns.item(run, id) : undefined;
      if (!found) throw notFound("output item", id, "output_item_id");
      return found;
    },
  };
}

interface Looks {
  files: Stores["files"];
  named: NamedModels;
}

/** What can be known to be wrong before a worker looks; returns the bytes of the items, as far as they are known. Throws ApiError naming the field. */
async function checkSource({ files, named }: Looks, project: Project, of: EvalRecord, source: EvalDataSource) {
  const at = "data_source";
  let bytes = 0;
  if (source.source.type === "file_id") {
    const options = { param: `${at}.source.id`, purpose: "evals" } as const;
    bytes = (await requireFile(files, project, source.source.id, options)).bytes;
  }
  if (source.source.type === "file_content") {
    checkItems(of, source.source.content, `${at}.source.content`);
    bytes = Buffer.byteLength(JSON.stringify(source.source.content));
  }
  if (isAsked(source)) {
    await checkModel(named, project, { id: source.model, param: `${at}.model`, require: requireAnswering });
    const messages = source.input_messages;
    if (messages?.type === "template") checkMessages(messages.template, `${at}.input_messages.template`);
  }
  for (const [i, criterion] of of.testing_criteria.entries()) {
    await checkGraderModels(named, project, criterion as Grader, `testing_criteria[${i}]`);
  }
  return bytes;
}

function checkItems({ data_source_config: config }: EvalRecord, content: readonly { item: unknown }[], param: string) {
  const { properties } = config.schema as { properties: { item: Record<string, unknown> } };
  if (config.type !== "custom") return;
  const check = itemCheckOf(properties.item);
  for (const [i, { item }] of content.entries()) {
    const fault = check(item);
    if (!fault) continue;
    const path = `${param}[${i}].item${fault.path && `.${fault.path}`}`;
    const message = `'${path}' does not fit the eval's schema: ${fault.message}.`;
    throw new ApiError("invalid_value", message, { param: path });
  }
}

function newRun(
  project: Project,
  of: EvalRecord,
  id: string,
  request: CreateEvalRun,
): Omit<EvalRunRecord, "data_source"> {
  const { name = id, data_source, metadata = null } = request;
  return {
    id,
    object: "eval.run",
    eval_id: of.id,
    name,
    status: "queued",
    model: isAsked(data_source) ? data_source.model : null,
    result_counts: { total: 0, passed: 0, failed: 0, errored: 0 },
    per_model_usage: [],
    per_testing_criteria_results: of.testing_criteria.map((criterion) => {
      return { testing_criteria: String(criterion.name), passed: 0, failed: 0, errored: 0 };
    }),
    report_url: null,
    receipt: null,
    error: null,
    created_at: Math.floor(Date.now() / 1000),
    metadata,
    project_id: project.id,
    lease: null,
    failures: 0,
    items_key: null,
    next_item: 0,
  };
}
