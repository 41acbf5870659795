/** What can be known to be wrong with graders before any item is graded. */
import { ApiError } from "../errors.ts";
import { asEmbedder } from "../inference/embedder.ts";
import type { CallableModel } from "../inference/modelLookUp.ts";
import type { EvalMessage, Grader } from "../schemas/evalGrader.ts";
import type { Project } from "../schemas/project.ts";
import { requireAnswering } from "./asking.ts";
import { parseFormula } from "./formula.ts";
import { subGradersOf } from "./graders.ts";
import type { NamedModels } from "./namedModels.ts";
import { RuleError } from "./ruleError.ts";
import { checkTemplate } from "./templates.ts";
import { usualEmbedder } from "./vectors.ts";

/** Turns a rule's fault into the client's, at `param`. */
export function asFault<Result>(param: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new ApiError("invalid_value", `Invalid value for '${param}': ${error.message}`, { param });
  }
}

export function checkMessages(messages: readonly EvalMessage[], param: string): void {
  for (const [i, { content }] of messages.entries()) {
    for (const part of [content].flat()) {
      asFault(`${param}[${i}].content`, () => checkTemplate(typeof part === "string" ? part : part.text));
    }
  }
}

/** Templates and formulas. Throws ApiError naming what cannot be read. */
export function checkGrader(grader: Grader, param: string): void {
  if (grader.type === "multi") {
    checkMulti(grader, param);
  } else if (grader.type === "label_model" || grader.type === "score_model") {
    checkMessages(grader.input, `${param}.input`);
  } else {
    asFault(`${param}.input`, () => checkTemplate(grader.input));
    asFault(`${param}.reference`, () => checkTemplate(grader.reference));
  }
}

function checkMulti(grader: Extract<Grader, { type: "multi" }>, param: string): void {
  const sub = subGradersOf(grader.graders);
  for (const [name, each] of Object.entries(sub)) checkGrader(each, `${param}.graders.${name}`);
  asFault(`${param}.calculate_output`, () => {
    const stranger = parseFormula(grader.calculate_output).names.find((name) => !Object.hasOwn(sub, name));
    if (stranger === undefined) return;
    const message = `'${stranger}' is none of the graders, which are ${Object.keys(sub).join(", ")}.`;
    throw new RuleError("invalid_formula", message);
  });
}

interface ModelField {
  id: string;
  param: string;
  /** Throws ApiError where the model cannot do what is asked of it. */
  require(model: CallableModel): unknown;
}

/** Every model that a grader asks. */
export function modelFields(grader: Grader, param: string): ModelField[] {
  const field = `${param}.model`;
  if (grader.type === "multi") {
    const sub = Object.entries(subGradersOf(grader.graders));
    return sub.flatMap(([name, each]) => modelFields(each, `${param}.graders.${name}`));
  }
  if (grader.type === "string_check") return [];
  if (grader.type !== "text_similarity") return [{ id: grader.model, param: field, require: requireAnswering }];
  const { evaluation_metric: metric, model = usualEmbedder } = grader;
  return metric === "cosine" ? [{ id: model, param: field, require: asEmbedder }] : [];
}

/** That its models are there and can do what is asked of them. Throws ApiError naming the field. */
export async function checkGraderModels(
  named: NamedModels,
  project: Pick<Project, "id">,
  grader: Grader,
  param: string,
): Promise<void> {
  for (const field of modelFields(grader, param)) await checkModel(named, project, field);
}

/** Throws ApiError naming `param`, 404 where there is no such model. */
export async function checkModel(
  named: NamedModels,
  project: Pick<Project, "id">,
  { id, param, require }: ModelField,
): Promise<void> {
  const { model } = await named.find(project, id, param);
  try {
    require(model);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError(error.code, error.message, { param });
  }
}
