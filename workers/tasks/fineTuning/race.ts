/** What a race tells while it runs, as a job's events; whoever has come in is kept with the job's checkpoint. */
import { rm } from "node:fs/promises";
import type { TrainingEvent } from "../../../shared/engine/training/train.ts";
import { eventWrite } from "../../../shared/stores/events.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { type Attempt, append, record } from "./attempt.ts";
import { charge } from "./charge.ts";

type EventOf<Type extends TrainingEvent["type"]> = Extract<TrainingEvent, { type: Type }>;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export const raceHandlers = {
  async race(attempt: Attempt, { field, hasBase, finished }: EventOf<"race">): Promise<void> {
    const over = `${field.rows} rows in ${field.folds} folds`;
    const base = hasBase ? "" : "; there is no starter base here, so n-grams run alone";
    const known = finished.length ? `; known already: ${finished.join(", ")}` : "";
    await append(attempt, { level: "info", message: `Race over ${over}${base}${known}` });
  },

  async entrant(attempt: Attempt, { path, entrant }: EventOf<"entrant">): Promise<void> {
    const { context, job, lease } = attempt;
    const name = `${lease.attempt}-race-${entrant.name.replace(":", "-")}`;
    const key = objectKeys.checkpoint(job.project_id, job.id, 0, name);
    const { digest } = await context.stores.objects.putFile(key, path, { transient: "checkpoint" });
    await rm(path);
    const { accuracy, judged, seconds, isHeat } = entrant;
    const right = `${percent(accuracy)} of ${judged} rows right`;
    const message = `Race: ${entrant.name} ${isHeat ? "on a part of the way " : ""}has ${right} after ${seconds.toFixed(1)} s`;
    const event = eventWrite(job, { level: "info", message, data: { ...entrant } });
    const { changes, writes } = charge(attempt, { tokens: 0 });
    const reached = { latest_checkpoint: { object_key: key, digest, step: 0 }, failures: 0, ...changes };
    await record(attempt, reached, [event, ...writes]);
  },

  async decided(attempt: Attempt, { report }: EventOf<"decided">): Promise<void> {
    const message = `Race won by ${report.winner}. ${report.why}`;
    const candidates = report.candidates.map(({ name, accuracy, macroF1, loss, seconds }) => {
      return { name, accuracy, macro_f1: macroF1, loss, seconds };
    });
    await append(attempt, { level: "info", message, data: { winner: report.winner, candidates } });
  },
};
