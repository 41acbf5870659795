/** The task behind an experiment's message: one look at shares that learn, and the next a minute later. */
import { createExperimentChanger } from "../../../shared/experiments/experimentChanges.ts";
import { createFunctionChanger } from "../../../shared/experiments/functionChanges.ts";
import { adapt } from "../../../shared/experiments/learning.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";

const done: Outcome = { type: "done" };

export function experimentTask({ stores, inference, log }: WorkerContext): Task {
  const changer = createExperimentChanger(stores, createFunctionChanger(stores.functions, inference.models));
  return async ({ project_id, id }) => {
    const experiment = await stores.experiments.get(project_id, id);
    if (!experiment) return done;
    const adapted = await adapt(stores, changer, experiment);
    if (adapted !== "kept") log.info({ experiment: id, adapted }, "experiment learned");
    // Nothing else would bring the sweeper back in time; who changed it meanwhile did.
    else await stores.experiments.change(experiment, {});
    return done;
  };
}
