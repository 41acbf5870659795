/** Rows of exposures: the first that is written of a unit stands. */
import { ExposureRecord } from "../schemas/exposure.ts";
import { timeToLiveOf } from "./indexedRows.ts";
import type { Table } from "./table.ts";

export interface Exposures {
  /** Durable when it returns. Of a unit that was exposed before nothing is changed, but by the same inference, answered again. */
  log(exposure: ExposureRecord): Promise<void>;
  get(project: string, experiment: string, unit: string): Promise<ExposureRecord | undefined>;
  /** In no order that means anything. */
  stream(project: string, experiment: string): AsyncGenerator<ExposureRecord>;
}

const page = 1000;
const partition = (project: string, experiment: string) => `${project}#exposure#${experiment}`;
const keyOf = ({ project_id, experiment_id, unit }: ExposureRecord) => {
  return { pk: partition(project_id, experiment_id), sk: unit };
};

export function createExposures(table: Table): Exposures {
  return {
    async log(exposure) {
      const { unit, experiment_id, project_id, ...rest } = exposure;
      const changes = { ...rest, ...timeToLiveOf(exposure.expires_at) };
      const key = keyOf(exposure);
      if (await table.create(key, { ...exposure, ...changes })) return;
      const same = { expression: "inference_id = :inference", values: { ":inference": exposure.inference_id } };
      await table.update(key, changes, same);
    },
    async get(project, experiment, unit) {
      const item = await table.get({ pk: partition(project, experiment), sk: unit });
      return item && ExposureRecord.parse(item);
    },
    async *stream(project, experiment) {
      for (let after: string | undefined; ; ) {
        const items = await table.query(partition(project, experiment), { limit: page, ...(after && { after }) });
        for (const item of items) yield ExposureRecord.parse(item);
        after = String(items.at(-1)?.sk ?? "");
        if (items.length < page) return;
      }
    },
  };
}
