/** Datasets: named, of immutable versions, each with where every row came from. */
import { z } from "@hono/zod-openapi";
import { builtByWorkers, builtFields } from "./built.ts";

/** Of a dataset's name alone. */
export const datasetNamePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;

const FileSource = z.strictObject({
  type: z.literal("file").openapi({ description: "Rows of an uploaded file." }),
  file_id: z.string().min(1).openapi({
    description: "Id of a file of purpose `fine-tune`, of texts with labels; `subject` may stand beside them.",
  }),
});
const DatasetSource = z.strictObject({
  type: z.literal("dataset").openapi({ description: "Rows of another version, of this dataset or of any." }),
  dataset: z.string().regex(datasetNamePattern).openapi({ description: "The dataset's name.", example: "intents" }),
  version: z.int().min(1).openapi({ description: "The version's number.", example: 1 }),
});
const time = (description: string) => z.int().min(0).optional().openapi({ description });
const InferenceSource = z.strictObject({
  type: z.literal("inferences").openapi({
    description: "What models were asked, with the right answers that feedback gives; where input was kept.",
  }),
  model: z.string().min(1).max(512).optional().openapi({ description: "Of this model alone." }),
  function: z.string().min(1).max(512).optional().openapi({ description: "Of this function alone." }),
  created_after: time("Unix time in seconds; from it on."),
  created_before: time("Unix time in seconds; before it."),
  approved_by: z.string().min(1).max(64).optional().openapi({
    description:
      "A boolean metric: where it is true, the model's own answer is right. Absent: demonstrations alone count, which do in any case.",
    example: "solved",
  }),
});
const LabelSource = z.strictObject({
  type: z.literal("labels").openapi({ description: "What labellers said of the rows of a label queue." }),
  queue_id: z.string().min(1).max(64).openapi({ description: "The label queue, `lq_…`." }),
  rule: z.enum(["majority", "unanimous"]).optional().openapi({
    description:
      "Which label counts where labellers differ: the one that more than half of them gave (default), or only one that all gave. A row without one is left out.",
  }),
  min_labels: z.int().min(1).max(10).optional().openapi({
    description: "How many labels a row needs to count, 1 to 10. Default: 1.",
  }),
});
export const DatasetSourceRef = z
  .discriminatedUnion("type", [FileSource, DatasetSource, InferenceSource, LabelSource])
  .openapi("DatasetSource", { description: "What rows are taken from." });
export type DatasetSourceRef = z.infer<typeof DatasetSourceRef>;

const share = (of: string) =>
  z
    .number()
    .min(0)
    .max(0.5)
    .openapi({ description: `Share of new rows for ${of}, 0 to 0.5.` });

export const CreateDatasetVersion = z
  .strictObject({
    sources: z
      .array(DatasetSourceRef)
      .min(1)
      .max(20)
      .openapi({ description: "In order: what a later one says of a text corrects the earlier." }),
    splits: z
      .strictObject({ validation: share("validation").optional(), test: share("test").optional() })
      .optional()
      .openapi({ description: "Default: a tenth each. Rows of the version before stay in the split they are in." }),
  })
  .openapi("CreateDatasetVersion");
export type CreateDatasetVersion = z.infer<typeof CreateDatasetVersion>;

const count = (description: string) => z.int().min(0).openapi({ description });

export const DatasetVersion = z
  .object({
    id: z.string().openapi({ description: "`dsv_…`, accepted wherever a training file is." }),
    object: z.literal("dataset.version").openapi({ description: "Always `dataset.version`." }),
    dataset: z.string().openapi({ description: "The dataset's name." }),
    version: z.int().openapi({ description: "1 for the first." }),
    status: builtFields.status,
    sources: z.array(DatasetSourceRef).openapi({ description: "As asked for." }),
    splits: z
      .object({
        validation: z.number().openapi({ description: "To judge on the way." }),
        test: z.number().openapi({ description: "To judge by." }),
      })
      .openapi({ description: "Shares of new rows." }),
    parent: z.int().nullable().openapi({ description: "The version whose rows keep their splits; null: none." }),
    rows: z
      .object({
        train: count("To learn from."),
        validation: count("To judge on the way."),
        test: count("To judge by."),
      })
      .nullable()
      .openapi({ description: "Rows by split; null before it is ready." }),
    labels: z
      .record(z.string(), z.int())
      .nullable()
      .openapi({ description: "Rows by label; null before it is ready." }),
    report: z
      .object({
        read: count("Rows read from all sources."),
        repeats: count("Of which said again what an earlier one had said."),
        relabelled: count("Of which corrected an earlier one's label."),
        bridging: count("New rows left out, being near to rows of two splits or of a subject that is in two."),
      })
      .nullable()
      .openapi({ description: "What became of the sources' rows; null before it is ready." }),
    digest: z.string().nullable().openapi({ description: "SHA-256 of the content; null before it is ready." }),
    error: builtFields.error,
    created_at: builtFields.created_at,
    finished_at: builtFields.finished_at,
  })
  .openapi("DatasetVersion");
export type DatasetVersion = z.infer<typeof DatasetVersion>;

/** The row, and what the workers know of it. */
export const DatasetVersionRecord = DatasetVersion.extend({
  ...builtByWorkers,
  /** Of the rows as JSONL, by content; null before it is ready. */
  object_key: z.string().nullable(),
});
export type DatasetVersionRecord = z.infer<typeof DatasetVersionRecord>;

export const Dataset = z
  .object({
    id: z.string().openapi({ description: "Its name." }),
    object: z.literal("dataset").openapi({ description: "Always `dataset`." }),
    name: z.string().openapi({ description: "As given." }),
    latest_version: z.int().openapi({ description: "Number of the version that was asked for last." }),
    created_at: z.int().openapi({ description: "Unix time in seconds." }),
  })
  .openapi("Dataset");
export type Dataset = z.infer<typeof Dataset>;
export const DatasetRecord = Dataset.extend({ project_id: z.string() });
export type DatasetRecord = z.infer<typeof DatasetRecord>;

const change = z.object({
  change: z.enum(["added", "removed", "relabelled"]).openapi({ description: "What became of the row." }),
  id: z.string().openapi({ description: "The row's id, the same in every version." }),
  text: z.string().openapi({ description: "The row's text." }),
  from: z.string().nullable().openapi({ description: "Its label before; null: it was not there." }),
  to: z.string().nullable().openapi({ description: "Its label after; null: it is gone." }),
});

export const DatasetDiff = z
  .object({
    object: z.literal("dataset.diff").openapi({ description: "Always `dataset.diff`." }),
    dataset: z.string().openapi({ description: "The dataset's name." }),
    from: z.int().openapi({ description: "The earlier version's number." }),
    to: z.int().openapi({ description: "The later version's number." }),
    added: count("Rows that came."),
    removed: count("Rows that went."),
    relabelled: count("Rows of which the label changed."),
    changes: z.array(change).openapi({ description: "The first thousand of them." }),
  })
  .openapi("DatasetDiff");
export type DatasetDiff = z.infer<typeof DatasetDiff>;
