/** Which variant answers a call of a function: decided once for a call, wherever it is answered. */
import { ApiError } from "../errors.ts";
import { unitOf } from "../experiments/units.ts";
import { createRecent } from "../recent.ts";
import type { Assignment, Unit } from "../schemas/assignment.ts";
import type { ExperimentRecord } from "../schemas/experiment.ts";
import { type FunctionRecord, functionPrefix, type Variant } from "../schemas/function.ts";
import type { Project } from "../schemas/project.ts";
import { armFor, isEnrolled } from "../statistics/assignment.ts";
import type { Stores } from "../stores/stores.ts";
import type { Endpoint } from "./endpoint.ts";
import { asVariant } from "./variantParameters.ts";

export interface Routed<Request> {
  /** As the endpoint is to answer it; the request itself where it names a model. */
  request: Request;
  /** Null: a model was called. */
  assignment: Assignment | null;
}

export interface RoutedCall<Request> {
  /** Of the inference. */
  id: string;
  project: Pick<Project, "id">;
  request: Request;
  /** Null: of none. */
  episode_id: string | null;
}

export interface FunctionRouting {
  /** Throws ApiError where there is no such function. */
  route<Request>(
    endpoint: Pick<Endpoint<Request, unknown>, "schema">,
    call: RoutedCall<Request>,
  ): Promise<Routed<Request>>;
  /** To be called by who changed it, or its experiment, in this process. */
  forget(project: string, name: string): void;
  forgetExperiment(project: string, id: string): void;
}

type Needs = Pick<Stores, "functions" | "experiments" | "exposures">;

export function createFunctionRouting({ functions, experiments, exposures }: Needs): FunctionRouting {
  const recentFunctions = createRecent((key) => functions.get(...partsOf(key)));
  const recentExperiments = createRecent((key) => experiments.get(...partsOf(key)));
  const recentExposures = createRecent((key) => exposures.get(...(JSON.parse(key) as [string, string, string])));

  /** Null: it takes no part. */
  const place = async (project: string, id: string, unit: Unit) => {
    const experiment = await recentExperiments.get(keyOf(project, id));
    if (experiment?.status !== "running" || !isEnrolled(id, unit.key, experiment.enrolled_share)) return null;
    // A unit of an arm whose share shrank may be another's by now: whom it met, it keeps.
    const isLookedUp = experiment.stages.length > 1 && unit.kind !== "inference";
    const met = isLookedUp ? await recentExposures.get(JSON.stringify([project, id, unit.key])) : undefined;
    const { arm, stage } = met ?? fresh(experiment, unit);
    return { variant: experiment.arms[arm]!.variant, experiment: { id, arm, stage } };
  };

  const assign = async (called: FunctionRecord, unit: Unit): Promise<Assignment> => {
    const { project_id, name, incumbent, experiment_id } = called;
    const placed = experiment_id === null ? null : await place(project_id, experiment_id, unit);
    return { function: name, unit, ...(placed ?? { variant: incumbent, experiment: null }) };
  };

  return {
    forget: (project, name) => recentFunctions.forget(keyOf(project, name)),
    forgetExperiment: (project, id) => recentExperiments.forget(keyOf(project, id)),
    async route(endpoint, call) {
      const { model } = call.request as { model?: unknown };
      if (typeof model !== "string" || !model.startsWith(functionPrefix)) {
        return { request: call.request, assignment: null };
      }
      const called = await recentFunctions.get(keyOf(call.project.id, model.slice(functionPrefix.length)));
      if (!called) {
        const message = `No such function: '${model.slice(0, 100)}'.`;
        throw new ApiError("model_not_found", message, { param: "model" });
      }
      const assignment = await assign(called, unitOf(call));
      return { request: asVariant(endpoint, call.request, variantNamed(called, assignment.variant)), assignment };
    },
  };
}

const fresh = ({ id, stages }: ExperimentRecord, { key }: Unit) => {
  return { arm: armFor(id, key, stages), stage: stages.length - 1 };
};

function variantNamed({ id, variants }: FunctionRecord, name: string): Variant {
  const variant = variants.find((one) => one.name === name);
  if (!variant) throw new Error(`'${id}' has no variant '${name}'`);
  return variant;
}

const keyOf = (project: string, name: string) => JSON.stringify([project, name]);
const partsOf = (key: string) => JSON.parse(key) as [project: string, name: string];
