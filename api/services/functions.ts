/** Functions as a client sees them: a name, its variants, and which of them answers. */

import { ApiError, notFound } from "../../shared/errors.ts";
import {
  checkVariants,
  createFunctionChanger,
  incumbentChanges,
  requireVariant,
  sameVariant,
} from "../../shared/experiments/functionChanges.ts";
import type { FunctionRouting } from "../../shared/inference/functionRouting.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import {
  type CreateFunction,
  type FunctionRecord,
  functionPrefix,
  type MillraceFunction,
  type UpdateFunction,
  type Variant,
} from "../../shared/schemas/function.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Functions } from "../../shared/stores/functions.ts";
import type { Caller } from "./aliases.ts";

export interface FunctionService {
  /** The same again is the one there is; with other variants or another incumbent it is refused. */
  create(caller: Caller, request: CreateFunction): Promise<MillraceFunction>;
  get(project: Project, name: string): Promise<MillraceFunction>;
  list(project: Project): Promise<Page<MillraceFunction>>;
  update(caller: Caller, name: string, request: UpdateFunction): Promise<MillraceFunction>;
  /** Refused while an experiment has not ended. */
  delete(project: Project, name: string): Promise<void>;
}

export function createFunctionService(
  functions: Functions,
  models: ModelLookUp,
  routing: Pick<FunctionRouting, "forget">,
): FunctionService {
  const changer = createFunctionChanger(functions, models);
  return {
    async create({ project, key }, request) {
      await checkVariants(models, project, request.variants);
      const record = newFunction({ project, key }, request);
      requireVariant(record.variants, record.incumbent);
      if (await functions.create(record)) return record;
      const earlier = await changer.require(project, record.name);
      if (earlier.incumbent === record.incumbent && sameVariants(earlier.variants, record.variants)) {
        const { description } = request;
        return description === undefined
          ? earlier
          : changer.change(project, record.name, () => ({ description: description ?? null }));
      }
      const message = `The function '${record.name}' exists with other variants or another incumbent: update it instead.`;
      throw new ApiError("invalid_state", message, { param: "name" });
    },

    get: changer.require,
    list: async (project) => toPage(await functions.list(project.id), Number.POSITIVE_INFINITY),

    async update({ project, key }, name, { variants, description, incumbent, reason = null }) {
      // What is missing is told before what is wrong.
      await changer.require(project, name);
      if (variants) await checkVariants(models, project, variants);
      const updated = await changer.change(project, name, (record) => {
        const all = variants ?? record.variants;
        if (variants) checkKept(record, variants);
        const next = incumbent ?? record.incumbent;
        requireVariant(all, next, incumbent === undefined ? "variants" : "incumbent");
        const { previous_incumbent: previous } = record;
        const isGone = previous !== null && !all.some((one) => one.name === previous);
        return {
          ...(description !== undefined && { description }),
          ...(variants && { variants }),
          ...(isGone && { previous_incumbent: null }),
          ...incumbentChanges({ ...record, variants: all }, next, { by: key, reason }),
        };
      });
      routing.forget(project.id, updated.name);
      return updated;
    },

    async delete(project, name) {
      for (;;) {
        const record = await changer.require(project, name);
        if (record.experiment_id !== null) {
          const message = `An experiment on '${record.name}' has not ended: end '${record.experiment_id}' first.`;
          throw new ApiError("invalid_state", message, { param: "name" });
        }
        if (!(await functions.delete(record))) {
          if (!(await functions.get(project.id, record.name))) throw notFound("function", name, "name");
          continue;
        }
        routing.forget(project.id, record.name);
        return;
      }
    },
  };
}

function newFunction({ project, key }: Caller, request: CreateFunction): FunctionRecord {
  const { name, description = null, variants, incumbent = variants[0]!.name, reason = null } = request;
  const now = Math.floor(Date.now() / 1000);
  return {
    id: `${functionPrefix}${name}`,
    object: "function",
    name,
    description,
    variants,
    incumbent,
    incumbent_since: now,
    incumbent_reason: reason,
    incumbent_set_by: key,
    previous_incumbent: null,
    experiment_id: null,
    created_at: now,
    updated_at: now,
    project_id: project.id,
    revision: 0,
  };
}

const sameVariants = (a: readonly Variant[], b: readonly Variant[]) =>
  a.length === b.length && a.every((variant, i) => sameVariant(variant, b[i]!));

/** What an experiment compares stays what it is until it has ended. */
function checkKept(record: FunctionRecord, variants: readonly Variant[]): void {
  if (record.experiment_id === null) return;
  const lost = record.variants.find((one) => !variants.some((other) => sameVariant(one, other)));
  if (!lost) return;
  const message = `While '${record.experiment_id}' has not ended, variants may only be added: '${lost.name}' must stay as it is.`;
  throw new ApiError("invalid_state", message, { param: "variants" });
}
