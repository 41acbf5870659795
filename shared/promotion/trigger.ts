/** When a policy starts a turn: what has come in, how long ago the last one was, whether something has moved. */

/** None of them set: never by itself. */
export interface TriggerRules {
  /** So many rows were labelled since the last turn began. */
  new_rows?: number | undefined;
  /** So many seconds after the last turn began, if anything new was labelled. */
  every_seconds?: number | undefined;
  /** An alarm of drift was raised since the last turn began. */
  drift?: boolean | undefined;
}

/** What is known of the time since the last turn began; of a policy's first, since the policy was made. */
export interface SinceLastTurn {
  newRows: number;
  seconds: number;
  hasDrifted: boolean;
}

export type TriggerReason = "new_rows" | "schedule" | "drift";

/** Why a turn is to begin now; undefined: it is not. Without one new row there is nothing to learn, whatever the clock says. */
export function turnDue(rules: TriggerRules, since: SinceLastTurn): TriggerReason | undefined {
  if (since.newRows < 1) return undefined;
  if (rules.new_rows !== undefined && since.newRows >= rules.new_rows) return "new_rows";
  if (rules.drift && since.hasDrifted) return "drift";
  if (rules.every_seconds !== undefined && since.seconds >= rules.every_seconds) return "schedule";
  return undefined;
}
