/** Rows of declared metrics. */
import { MetricRecord } from "../schemas/metric.ts";
import type { Table } from "./table.ts";

export interface Metrics {
  /** False where one of this name is declared. */
  create(metric: MetricRecord): Promise<boolean>;
  get(project: string, name: string): Promise<MetricRecord | undefined>;
  /** By name. */
  list(project: string, options: { limit: number; after?: string | undefined }): Promise<MetricRecord[]>;
  describe(project: string, name: string, description: string | null): Promise<boolean>;
  /** From now on it cannot be deleted; false where it is gone. */
  use(project: string, name: string): Promise<boolean>;
  /** False where it is gone, or feedback was ever given on it. */
  delete(project: string, name: string): Promise<boolean>;
}

const keyOf = (project: string, name: string) => ({ pk: `${project}#metric`, sk: name });
const exists = { expression: "attribute_exists(sk)" };
const unused = { expression: "attribute_exists(sk) AND is_used = :no", values: { ":no": false } };

export function createMetrics(table: Table): Metrics {
  return {
    create: (metric) => table.create(keyOf(metric.project_id, metric.name), metric),
    async get(project, name) {
      const item = await table.get(keyOf(project, name));
      return item && MetricRecord.parse(item);
    },
    async list(project, { limit, after }) {
      const items = await table.query(keyOf(project, "").pk, { limit, ...(after !== undefined && { after }) });
      return items.map((item) => MetricRecord.parse(item));
    },
    describe: (project, name, description) => table.update(keyOf(project, name), { description }, exists),
    use: (project, name) => table.update(keyOf(project, name), { is_used: true }, exists),
    delete: (project, name) => table.transact([{ type: "delete", key: keyOf(project, name), condition: unused }]),
  };
}
