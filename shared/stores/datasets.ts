/** Rows of datasets and of their versions. A version's number is taken and its row written at once. */
import { type BuiltState, builtLife } from "../builtStates.ts";
import { DatasetRecord, DatasetVersionRecord, datasetNamePattern } from "../schemas/dataset.ts";
import { createLeasedRows, type LeasedRows } from "./leasedRows.ts";
import type { Table, TransactWrite } from "./table.ts";

export interface Datasets {
  versions: Omit<LeasedRows<BuiltState, DatasetVersionRecord>, "create" | "list">;
  /** Undefined also for what could be no name, without asking the table. */
  get(project: string, name: string): Promise<DatasetRecord | undefined>;
  /** By name. */
  list(project: string): Promise<DatasetRecord[]>;
  /** Adds the version to `earlier`, or to a new dataset. False where another version was added meanwhile. */
  add(version: DatasetVersionRecord, earlier: DatasetRecord | undefined): Promise<boolean>;
  /** Newest first. */
  versionsOf(
    project: string,
    name: string,
    options: { limit: number; after?: string },
  ): Promise<DatasetVersionRecord[]>;
  version(project: string, name: string, version: number): Promise<DatasetVersionRecord | undefined>;
}

const everyDataset = 10_000;
const partition = (project: string) => `${project}#dataset`;

export function createDatasets(table: Table): Datasets {
  const { create, list, ...versions } = createLeasedRows<BuiltState, DatasetVersionRecord>(table, {
    kind: "dataset_version",
    noun: "dataset_version",
    parse: (item) => DatasetVersionRecord.parse(item),
    life: builtLife,
    tells: { ready: "millrace.dataset_version.ready", failed: "millrace.dataset_version.failed" },
  });
  return {
    versions,
    async get(project, name) {
      const item = datasetNamePattern.test(name) ? await table.get({ pk: partition(project), sk: name }) : undefined;
      return item && DatasetRecord.parse(item);
    },
    async list(project) {
      return (await table.query(partition(project), { limit: everyDataset })).map((item) => DatasetRecord.parse(item));
    },
    add: (version, earlier) => create(version, [datasetWrite(version, earlier)]),
    versionsOf: (project, dataset, options) => list(project, { ...options, descending: true, equals: { dataset } }),
    async version(project, dataset, version) {
      return (await list(project, { limit: 1, equals: { dataset, version } }))[0];
    },
  };
}

function datasetWrite(version: DatasetVersionRecord, earlier: DatasetRecord | undefined): TransactWrite {
  const { project_id, dataset: name, created_at } = version;
  const key = { pk: partition(project_id), sk: name };
  const latest_version = version.version;
  if (!earlier) {
    const item: DatasetRecord = { id: name, object: "dataset", name, latest_version, created_at, project_id };
    return { type: "create", key, item };
  }
  const condition = { expression: "latest_version = :before", values: { ":before": earlier.latest_version } };
  return { type: "update", key, changes: { latest_version }, condition };
}
