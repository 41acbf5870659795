/** Rows of label queues, and of what the label doctor found. */
import { type BuiltState, builtLife } from "../builtStates.ts";
import { isId } from "../ids.ts";
import { LabelDoctorRecord } from "../schemas/labelDoctor.ts";
import { LabelQueueRecord } from "../schemas/labelQueue.ts";
import { createLeasedRows, type LeasedRows } from "./leasedRows.ts";
import type { Table } from "./table.ts";

/** `get` is undefined also for what could be no id. */
export interface LabelQueues extends LeasedRows<BuiltState, LabelQueueRecord> {
  /** All items below that place are closed, which never ends; it only grows. */
  closeBelow(queue: Pick<LabelQueueRecord, "project_id" | "id">, place: number): Promise<boolean>;
}

export function createLabelQueues(table: Table): LabelQueues {
  const noun = "label_queue" as const;
  const rows = createLeasedRows<BuiltState, LabelQueueRecord>(table, {
    ...{ kind: noun, noun, life: builtLife },
    parse: (item) => LabelQueueRecord.parse(item),
  });
  return {
    ...rows,
    get: async (project, id) => (isId(noun, id) ? rows.get(project, id) : undefined),
    closeBelow: ({ project_id, id }, place) =>
      table.update(
        { pk: `${project_id}#${noun}`, sk: id },
        { closed_below: place },
        { expression: "closed_below < :place", values: { ":place": place } },
      ),
  };
}

export interface LabelDoctors extends LeasedRows<BuiltState, LabelDoctorRecord> {
  /** The last one of a dataset's version. */
  lastOf(project: string, dataset: string, version: number): Promise<LabelDoctorRecord | undefined>;
}

export function createLabelDoctors(table: Table): LabelDoctors {
  const rows = createLeasedRows<BuiltState, LabelDoctorRecord>(table, {
    ...{ kind: "label_doctor", noun: "label_doctor", life: builtLife },
    parse: (item) => LabelDoctorRecord.parse(item),
  });
  return {
    ...rows,
    async lastOf(project, dataset, version) {
      return (await rows.list(project, { limit: 1, descending: true, equals: { dataset, version } }))[0];
    },
  };
}
