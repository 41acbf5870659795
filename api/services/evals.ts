/** Evals as a client sees them: made, found, renamed and deleted with their runs. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { asFault, checkGrader } from "../../shared/evals/checkGraders.ts";
import { itemCheckOf } from "../../shared/evals/itemSchema.ts";
import { isId } from "../../shared/ids.ts";
import type { CreateEval, Eval, EvalRecord, UpdateEval } from "../../shared/schemas/eval.ts";
import type { Grader } from "../../shared/schemas/evalGrader.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Delivery } from "./delivery.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

export interface EvalListing {
  limit: number;
  after?: string | undefined;
  order: "asc" | "desc";
  order_by: "created_at" | "updated_at";
}

export interface EvalService {
  create(project: Project, request: CreateEval, attempt: Attempt): Promise<EvalRecord>;
  get(project: Project, id: string): Promise<EvalRecord>;
  list(project: Project, listing: EvalListing): Promise<Page<EvalRecord>>;
  update(project: Project, id: string, request: UpdateEval): Promise<EvalRecord>;
  delete(project: Project, id: string): Promise<void>;
}

/** DynamoDB's rows hold 400 KB. */
const mostBytes = 256 * 1024;
/** More than a project will ever have of them. */
const everyEval = 10_000;
const everyRun = 100_000;

export function createEvalService(
  { evals, evalRuns }: Pick<Stores, "evals" | "evalRuns">,
  delivery: Delivery,
): EvalService {
  const get: EvalService["get"] = async (project, id) => {
    const found = isId("eval", id) ? await evals.get(project.id, id) : undefined;
    if (!found) throw notFound("eval", id);
    return found;
  };
  return {
    get,
    async create(project, request, attempt) {
      check(request);
      const id = idFor("eval", attempt);
      await evals.create(newEval(project, id, request));
      return get(project, id);
    },
    async list(project, { order, order_by, limit, after }) {
      const descending = order === "desc";
      if (order_by === "created_at") {
        const options = { limit: limit + 1, descending, ...(after && { after }) };
        return toPage(await evals.list(project.id, options), limit);
      }
      const all = await evals.list(project.id, { limit: everyEval });
      all.sort((a, b) => (a.updated_at - b.updated_at || (a.id < b.id ? -1 : 1)) * (descending ? -1 : 1));
      const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
      return toPage(all.slice(from, from + limit + 1), limit);
    },
    async update(project, id, { name, metadata }) {
      const changes = {
        ...(name !== undefined && { name }),
        ...(metadata !== undefined && { metadata }),
        updated_at: Math.floor(Date.now() / 1000),
      };
      if (!(await evals.update(await get(project, id), changes))) throw notFound("eval", id);
      return get(project, id);
    },
    /** Its runs first: whoever dies here leaves an eval that can be deleted again. */
    async delete(project, id) {
      const found = await get(project, id);
      const runs = await evalRuns.list(project.id, { limit: everyRun, equals: { eval_id: id } });
      for (const run of runs) {
        await evalRuns.transition(run, "deleting", { changes: { lease: null } });
        await delivery.send(run);
      }
      await evals.delete(found);
    },
  };
}

/** Throws ApiError naming what cannot be checked, read or stored. */
function check({ data_source_config: config, testing_criteria }: CreateEval): void {
  if (config.type === "custom") asFault("data_source_config.item_schema", () => itemCheckOf(config.item_schema));
  for (const [i, criterion] of testing_criteria.entries()) checkGrader(criterion as Grader, `testing_criteria[${i}]`);
  if (Buffer.byteLength(JSON.stringify({ config, testing_criteria })) <= mostBytes) return;
  const message = `'testing_criteria' and the schema together are larger than ${mostBytes} bytes.`;
  throw new ApiError("invalid_value", message, { param: "testing_criteria" });
}

function newEval(project: Project, id: string, request: CreateEval): EvalRecord {
  const now = Math.floor(Date.now() / 1000);
  const { name = id, metadata = null, testing_criteria, data_source_config } = request;
  const data_source = configOf(data_source_config);
  const object = "eval" as const;
  const fields = { id, object, name, data_source_config: data_source, testing_criteria, created_at: now, metadata };
  return { ...fields, project_id: project.id, updated_at: now };
}

const sampleSchema = {
  type: "object",
  properties: { output_text: { type: "string" }, model: { type: "string" }, output: { type: "array" } },
  required: ["output_text"],
};

/** What is answered holds the schema of items and samples together. */
function configOf(config: CreateEval["data_source_config"]): Eval["data_source_config"] {
  if (config.type !== "custom") {
    const { type, metadata = null } = config;
    const item = { type: "object", properties: { input: { type: "array" } }, required: ["input"] };
    return { type, metadata, schema: schemaOf({ item, sample: sampleSchema }) };
  }
  const item = config.item_schema;
  const parts = config.include_sample_schema ? { item, sample: sampleSchema } : { item };
  return { type: "custom", schema: schemaOf(parts) };
}

function schemaOf(properties: Record<string, unknown>): Record<string, unknown> {
  return { type: "object", properties, required: Object.keys(properties) };
}
