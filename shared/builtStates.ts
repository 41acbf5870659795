/** The life of a row that a worker builds once, and that never changes again: a dataset version, a report, a queue's order. */
import { lifeOf } from "./life.ts";

export const builtStates = ["building", "ready", "failed"] as const;
export type BuiltState = (typeof builtStates)[number];

export const builtLife = lifeOf<BuiltState>({ building: ["ready", "failed"], ready: [], failed: [] }, ["building"]);
