/** Experiments as a client sees them: begun on a function, steered, read and ended. */
import { createExperimentChanger } from "../../shared/experiments/experimentChanges.ts";
import { createFunctionChanger } from "../../shared/experiments/functionChanges.ts";
import { readExperiment } from "../../shared/experiments/reading.ts";
import { resultsOf } from "../../shared/experiments/results.ts";
import type { FunctionRouting } from "../../shared/inference/functionRouting.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import type {
  CreateExperiment,
  EndExperiment,
  Experiment,
  ExperimentRecord,
  RampExperiment,
} from "../../shared/schemas/experiment.ts";
import type { ExperimentResults } from "../../shared/schemas/experimentResults.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { Caller } from "./aliases.ts";
import type { Paging } from "./fineTuningJobs.ts";

export interface ExperimentService {
  create(caller: Caller, request: CreateExperiment): Promise<Experiment>;
  get(project: Project, id: string): Promise<Experiment>;
  /** Newest first; of one function, or of all. */
  list(project: Project, paging: Paging & { function?: string | undefined }): Promise<Page<Experiment>>;
  pause(project: Project, id: string): Promise<Experiment>;
  resume(project: Project, id: string): Promise<Experiment>;
  ramp(project: Project, id: string, request: RampExperiment): Promise<Experiment>;
  end(caller: Caller, id: string, request: EndExperiment): Promise<Experiment>;
  results(project: Project, id: string): Promise<ExperimentResults>;
}

type Needs = Pick<Stores, "experiments" | "functions" | "metrics" | "inferences" | "episodes" | "exposures">;

export function createExperimentService(
  stores: Needs,
  models: ModelLookUp,
  routing: Pick<FunctionRouting, "forget" | "forgetExperiment">,
): ExperimentService {
  const changer = createExperimentChanger(stores, createFunctionChanger(stores.functions, models));
  /** What changed here holds here at once. */
  const forgotten = (record: ExperimentRecord) => {
    routing.forget(record.project_id, record.function);
    routing.forgetExperiment(record.project_id, record.id);
    return record;
  };
  return {
    create: async ({ project, key }, request) => forgotten(await changer.begin(project, key, request)),
    get: changer.require,
    async list(project, { limit, after, function: called }) {
      const equals = called === undefined ? {} : { function: called };
      const options = { limit: limit + 1, descending: true, equals, ...(after && { after }) };
      return toPage(await stores.experiments.list(project.id, options), limit);
    },
    pause: async (project, id) => forgotten(await changer.pause(project, id)),
    resume: async (project, id) => forgotten(await changer.resume(project, id)),
    ramp: async (project, id, { enrolled_share }) => forgotten(await changer.ramp(project, id, enrolled_share)),
    async end({ project, key }, id, { winner = null, reason = null }) {
      return forgotten(await changer.end(project, id, { winner, isPromoted: true, by: key, reason }));
    },
    results: async (project, id) => resultsOf(await readExperiment(stores, await changer.require(project, id))),
  };
}
