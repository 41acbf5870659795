/** The life of a dataset version: built once, and never changed. */
import { lifeOf } from "./life.ts";

export const datasetStates = ["building", "ready", "failed"] as const;
export type DatasetState = (typeof datasetStates)[number];

export const datasetLife = lifeOf<DatasetState>({ building: ["ready", "failed"], ready: [], failed: [] }, ["building"]);
