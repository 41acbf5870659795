/** The task behind a dataset version's message. */
import type { DatasetVersionRecord } from "../../../shared/schemas/dataset.ts";
import type { Task } from "../../task.ts";
import { type Building, builtTask } from "../built.ts";
import type { WorkerContext } from "../context.ts";
import { build } from "./build.ts";

export type Attempt = Building<DatasetVersionRecord>;

export function datasetTask(context: WorkerContext): Task {
  return builtTask(context, { rows: context.stores.datasets.versions, build });
}
