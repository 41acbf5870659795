/** What a job reads its files as, whoever looks at them: the worker that learns, or whoever is told what it would find. */
import { readsTables } from "../baseModels.ts";
import type { JobRecord } from "../schemas/fineTuningJob.ts";
import type { DatasetOptions } from "./dataset.ts";
import type { RowKind } from "./row.ts";

/** What is held out where no validation file is given: enough rows to fit a temperature by, and no more than that takes. */
const someRows = { share: 0.1, most: 2000 };
/** The engine chooses for itself which texts it learns from. */
const noRows = { share: 0, most: 0 };

export function readingOf({
  method,
  model,
}: Pick<JobRecord, "method" | "model">): Pick<DatasetOptions, "holdOut"> & { kind: RowKind } {
  if (method.type === "pretrain") return { kind: "document", holdOut: noRows };
  if (method.type === "distill") return { kind: "document", holdOut: someRows };
  return { kind: readsTables(model) ? "table" : "text", holdOut: someRows };
}
