/** Changes of functions, by clients and by what decides in their name: each holds as a whole or not at all. */
import { ApiError, notFound } from "../errors.ts";
import type { ModelLookUp } from "../inference/modelLookUp.ts";
import { type FunctionRecord, functionPrefix, mostVariants, type Variant } from "../schemas/function.ts";
import type { FunctionChanges, Functions } from "../stores/functions.ts";

/** Who decides, and why. */
export interface Deciding {
  /** Id of an API key, or of whatever decides in its name. */
  by: string;
  reason: string | null;
}

type Owner = { id: string };

export interface FunctionChanger {
  /** By `fn:name` or the name alone; 404 naming `param`. */
  require(project: Owner, id: string, param?: string): Promise<FunctionRecord>;
  /** Of two changes at once the second sees the first; `edit` throws ApiError for what cannot be, and returns {} for nothing. */
  change(project: Owner, id: string, edit: (record: FunctionRecord) => FunctionChanges): Promise<FunctionRecord>;
  /** A variant more. The same again is the one there is; the name with another model or other parameters is 409. */
  addVariant(project: Owner, id: string, variant: Variant): Promise<FunctionRecord>;
  /** 409 where `from` is given and another is the incumbent, and while an experiment compares with it. */
  setIncumbent(
    project: Owner,
    id: string,
    variant: string,
    deciding: Deciding & { from?: string | undefined },
  ): Promise<FunctionRecord>;
}

const mostTries = 100;

export function createFunctionChanger(functions: Functions, models: Pick<ModelLookUp, "callable">): FunctionChanger {
  const require: FunctionChanger["require"] = async (project, id, param = "name") => {
    const name = id.startsWith(functionPrefix) ? id.slice(functionPrefix.length) : id;
    const record = await functions.get(project.id, name);
    if (!record) throw notFound("function", id.slice(0, 100), param);
    return record;
  };
  const change: FunctionChanger["change"] = async (project, id, edit) => {
    for (let tries = 0; tries < mostTries; tries++) {
      const record = await require(project, id);
      const changes = edit(record);
      if (Object.keys(changes).length === 0) return record;
      if (await functions.change(record, changes)) return require(project, id);
    }
    throw new Error(`The function '${id}' was changed by others ${mostTries} times in a row`);
  };
  return {
    require,
    change,
    async addVariant(project, id, variant) {
      await checkVariants(models, project, [variant]);
      return change(project, id, ({ variants }) => {
        const earlier = variants.find(({ name }) => name === variant.name);
        if (earlier && sameVariant(earlier, variant)) return {};
        const message = `The variant '${variant.name}' exists and is another one.`;
        if (earlier) throw new ApiError("invalid_state", message, { param: "variants" });
        return { variants: checkCount([...variants, variant]) };
      });
    },
    setIncumbent: (project, id, variant, { from, ...deciding }) =>
      change(project, id, (record) => {
        if (from !== undefined && record.incumbent !== from) {
          const message = `The incumbent of '${record.name}' is '${record.incumbent}', not '${from}'.`;
          throw new ApiError("invalid_state", message, { param: "from" });
        }
        return incumbentChanges(record, variant, deciding);
      }),
  };
}

/** Throws ApiError naming the variant at fault. */
export async function checkVariants(
  models: Pick<ModelLookUp, "callable">,
  project: Owner,
  variants: readonly Variant[],
): Promise<void> {
  for (const [i, { name, model }] of variants.entries()) {
    if (variants.findIndex((one) => one.name === name) < i) {
      throw new ApiError("invalid_value", `'variants[${i}].name' repeats '${name}'.`, { param: `variants[${i}].name` });
    }
    const param = `variants[${i}].model`;
    if (model.startsWith(functionPrefix)) {
      throw new ApiError("invalid_value", "A variant names a model or an alias, not another function.", { param });
    }
    await models.callable(project, model, param);
  }
}

/** What another incumbent changes; nothing where it is the one already. */
export function incumbentChanges(record: FunctionRecord, variant: string, { by, reason }: Deciding): FunctionChanges {
  if (record.incumbent === variant) return {};
  const message = `An experiment compares with the incumbent: end '${record.experiment_id}' first.`;
  if (record.experiment_id !== null) throw new ApiError("invalid_state", message, { param: "incumbent" });
  return newIncumbent(record, variant, { by, reason });
}

/** Whatever experiment there is. */
export function newIncumbent(record: FunctionRecord, variant: string, { by, reason }: Deciding): FunctionChanges {
  requireVariant(record.variants, variant);
  return {
    incumbent: variant,
    incumbent_since: Math.floor(Date.now() / 1000),
    incumbent_reason: reason,
    incumbent_set_by: by,
    previous_incumbent: record.incumbent,
  };
}

export function requireVariant(variants: readonly Variant[], name: string, param = "incumbent"): Variant {
  const found = variants.find((variant) => variant.name === name);
  if (found) return found;
  const all = variants.map((variant) => `'${variant.name}'`).join(", ");
  throw new ApiError("invalid_value", `'${name}' is no variant of the function: it has ${all}.`, { param });
}

function checkCount(variants: Variant[]): Variant[] {
  if (variants.length <= mostVariants) return variants;
  throw new ApiError("invalid_value", `A function has ${mostVariants} variants at most.`, { param: "variants" });
}

/** The order of parameters does not count. */
export function sameVariant(a: Variant, b: Variant): boolean {
  const plain = ({ name, model, parameters = {} }: Variant) =>
    JSON.stringify([name, model, Object.entries(parameters).sort(([one], [other]) => (one < other ? -1 : 1))]);
  return plain(a) === plain(b);
}
