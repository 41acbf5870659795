/** Rows of experiments: each change names the revision that it changes; those whose shares learn are swept. */
import type { MessageKind } from "../messages.ts";
import { ExperimentRecord } from "../schemas/experiment.ts";
import type { RowName } from "./leasedRows.ts";
import { type QueryOptions, type Table, type TransactWrite, tableSchema } from "./table.ts";

export type ExperimentChanges = Partial<Omit<ExperimentRecord, "id" | "project_id" | "revision">>;

export interface Experiments {
  readonly kind: MessageKind;
  /** False where one of the other rows has changed. */
  create(record: ExperimentRecord, writes: readonly TransactWrite[]): Promise<boolean>;
  get(project: string, id: string): Promise<ExperimentRecord | undefined>;
  list(project: string, options: QueryOptions): Promise<ExperimentRecord[]>;
  /** False when it, or one of the other rows, was changed since it was read. */
  change(record: ExperimentRecord, changes: ExperimentChanges, writes?: readonly TransactWrite[]): Promise<boolean>;
  /** Those whose shares are to be looked at again, of all projects. */
  overdue(now: number, limit: number): Promise<RowName[]>;
  postpone(row: RowName, now: number, time: number): Promise<boolean>;
}

/** Shares follow feedback no faster. */
const betweenLooks = 60_000;
const { partition: workKind, sort: dueTime } = tableSchema.workIndex;
const sortable = (milliseconds: number) => new Date(milliseconds).toISOString();

const partition = (project: string) => `${project}#experiment`;
const keyOf = ({ project_id, id }: RowName) => ({ pk: partition(project_id), sk: id });

function workAttributes({ method, status }: ExperimentRecord) {
  const learns = method.type === "adaptive" && status === "running";
  return learns
    ? { [workKind]: "experiment", [dueTime]: sortable(Date.now() + betweenLooks) }
    : { [workKind]: undefined, [dueTime]: undefined };
}

export function createExperiments(table: Table): Experiments {
  const parse = (item: Record<string, unknown>) => ExperimentRecord.parse(item);
  return {
    kind: "experiment",
    create(record, writes) {
      const item = { ...record, ...workAttributes(record) };
      return table.transact([{ type: "create", key: keyOf(record), item }, ...writes]);
    },
    async get(project, id) {
      const item = await table.get(keyOf({ project_id: project, id }));
      return item && parse(item);
    },
    async list(project, options) {
      return (await table.query(partition(project), options)).map(parse);
    },
    change(record, changes, writes = []) {
      const next = { ...changes, ...workAttributes({ ...record, ...changes }), revision: record.revision + 1 };
      const condition = { expression: "revision = :revision", values: { ":revision": record.revision } };
      return table.transact([{ type: "update", key: keyOf(record), changes: next, condition }, ...writes]);
    },
    async overdue(now, limit) {
      return (await table.dueWork("experiment", sortable(now), limit)).map(parse);
    },
    postpone(row, now, time) {
      const overdue = { expression: "#due <= :now", names: { "#due": dueTime }, values: { ":now": sortable(now) } };
      return table.update(keyOf(row), { [dueTime]: sortable(time) }, overdue);
    },
  };
}
