/** What became of one thing of an export. */
export interface Outcome {
  /** Its path or id there. */
  of: string;
  /** Its id or name here; null: it is not here. */
  id: string | null;
  /** `present`: an earlier run brought it. */
  state: "imported" | "present" | "left";
  note: string | null;
}

/** Why the deployment would not take it. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
