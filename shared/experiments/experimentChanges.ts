/** Experiments begun, changed and ended, by clients and by what decides in their name; the function's row goes with theirs. */
import { ApiError, notFound } from "../errors.ts";
import { type ExperimentState, experimentLife } from "../experimentStates.ts";
import { isId } from "../ids.ts";
import type { CreateExperiment, ExperimentRecord } from "../schemas/experiment.ts";
import type { ExperimentChanges } from "../stores/experiments.ts";
import type { FunctionChanges } from "../stores/functions.ts";
import type { Stores } from "../stores/stores.ts";
import { type Deciding, type FunctionChanger, newIncumbent } from "./functionChanges.ts";
import { newExperiment } from "./newExperiment.ts";

type Owner = { id: string };

export interface ExperimentChanger {
  require(project: Owner, id: string): Promise<ExperimentRecord>;
  /** 409 while another on the function has not ended. */
  begin(project: Owner, by: string, request: CreateExperiment): Promise<ExperimentRecord>;
  /** The incumbent answers everybody; without effect where it is paused. */
  pause(project: Owner, id: string): Promise<ExperimentRecord>;
  resume(project: Owner, id: string): Promise<ExperimentRecord>;
  /** Share of all units that take part. */
  ramp(project: Owner, id: string, enrolled_share: number): Promise<ExperimentRecord>;
  /** A winner that is promoted becomes the incumbent in the same write. */
  end(project: Owner, id: string, ending: Ending): Promise<ExperimentRecord>;
  /** Other shares from now on, of one whose shares learn; false when somebody else changed it meanwhile. */
  reshare(experiment: ExperimentRecord, shares: readonly number[]): Promise<boolean>;
}

export interface Ending extends Deciding {
  /** An arm; null: none. */
  winner: string | null;
  isPromoted: boolean;
}

type Needs = Pick<Stores, "experiments" | "functions" | "metrics">;

const mostTries = 100;
const now = () => Math.floor(Date.now() / 1000);

export function createExperimentChanger(stores: Needs, changer: Pick<FunctionChanger, "require">): ExperimentChanger {
  const { experiments, functions, metrics } = stores;
  const require: ExperimentChanger["require"] = async (project, id) => {
    const record = isId("experiment", id) ? await experiments.get(project.id, id) : undefined;
    if (!record) throw notFound("experiment", id.slice(0, 100));
    return record;
  };
  /** Until nobody comes between. */
  const untilDone = async (what: string, attempt: () => Promise<boolean>) => {
    for (let tries = 0; tries < mostTries; tries++) if (await attempt()) return;
    throw new Error(`'${what}' was changed by others ${mostTries} times in a row`);
  };
  const change = async (project: Owner, id: string, edit: (record: ExperimentRecord) => ExperimentChanges) => {
    await untilDone(id, async () => {
      const record = await require(project, id);
      const changes = edit(record);
      return Object.keys(changes).length === 0 || experiments.change(record, changes);
    });
    return require(project, id);
  };
  const move = (project: Owner, id: string, to: ExperimentState) =>
    change(project, id, (record) => {
      if (record.status === to) return {};
      checkMay(record, to);
      return { status: to };
    });

  return {
    require,
    async begin(project, by, request) {
      let record: ExperimentRecord | undefined;
      await untilDone(request.function, async () => {
        const called = await changer.require(project, request.function, "function");
        if (called.experiment_id !== null) {
          const message = `'${called.name}' has the experiment '${called.experiment_id}', which has not ended: end it first.`;
          throw new ApiError("invalid_state", message, { param: "function" });
        }
        const metric = await metrics.get(project.id, request.metric_name);
        if (!metric) throw notFound("metric", request.metric_name, "metric_name");
        record = newExperiment({ called, metric, by, request });
        return experiments.create(record, [functions.changeWrite(called, { experiment_id: record.id })]);
      });
      return record!;
    },
    pause: (project, id) => move(project, id, "paused"),
    resume: (project, id) => move(project, id, "running"),
    ramp: (project, id, enrolled_share) =>
      change(project, id, (record) => {
        if (experimentLife.isFinal(record.status)) throw hasEnded(record);
        return record.enrolled_share === enrolled_share ? {} : { enrolled_share };
      }),
    async end(project, id, { winner, isPromoted, by, reason }) {
      await untilDone(id, async () => {
        const record = await require(project, id);
        checkMay(record, "ended");
        if (winner !== null && !record.arms.some(({ variant }) => variant === winner)) throw noArm(record, winner);
        const called = await changer.require(project, record.function);
        const changes: FunctionChanges = { experiment_id: null };
        if (winner !== null && isPromoted && winner !== called.incumbent) {
          Object.assign(changes, newIncumbent(called, winner, { by, reason }));
        }
        const ended = { status: "ended" as const, winner, end_reason: reason, ended_by: by, ended_at: now() };
        return experiments.change(record, ended, [functions.changeWrite(called, changes)]);
      });
      return require(project, id);
    },
    reshare(experiment, shares) {
      const arms = experiment.arms.map((arm, i) => ({ ...arm, share: shares[i]! }));
      return experiments.change(experiment, { arms, stages: [...experiment.stages, [...shares]] });
    },
  };
}

function checkMay(record: ExperimentRecord, to: ExperimentState): void {
  if (!experimentLife.before(to).includes(record.status)) throw hasEnded(record);
}

/** All other states lead to each other. */
function hasEnded({ id, status }: ExperimentRecord): ApiError {
  return new ApiError("invalid_state", `The experiment '${id}' is '${status}'.`, { param: "id" });
}

function noArm({ id, arms }: ExperimentRecord, winner: string): ApiError {
  const all = arms.map(({ variant }) => `'${variant}'`).join(", ");
  return new ApiError("invalid_value", `'${winner}' is no arm of '${id}': it has ${all}.`, { param: "winner" });
}
