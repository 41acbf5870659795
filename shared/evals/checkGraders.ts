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

/** That its models are there and can do what is asked of them. Throws ApiError naming the field. */
export async function checkGraderModels(
  named: NamedModels,
  project: Pick<Project, "id">,
  grader: Grader,
  param: string,
): Promise<void> {
  if (grader.type === "multi") {
    for (const [name, each] of Object.entries(subGradersOf(grader.graders))) {
      await checkGraderModels(named, project, each, `${param}.graders.${name}`);
    }
  }
  if (grader.type === "label_model" || grader.type === "score_model") {
    await checkModel(named, project, { id: grader.model, param: `${param}.model`, require: requireAnswering });
  }
  if (grader.type !== "text_similarity" || grader.evaluation_metric !== "cosine") return;
  const id = grader.model ?? usualEmbedder;
  await checkModel(named, project, { id, param: `${param}.model`, require: asEmbedder });
}

/** Throws ApiError naming `param`, 404 where there is no such model. */
export async function checkModel(
  named: NamedModels,
  project: Pick<Project, "id">,
  { id, param, require }: { id: string; param: string; require(model: CallableModel): unknown },
): Promise<void> {
  const { model } = await named.find(project, id, param);
  try {
    require(model);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError(error.code, error.message, { param });
  }
}
