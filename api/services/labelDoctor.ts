/** The label doctor as a client sees it: called to a dataset version, and asked what was found. */
import { notFound } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import { unbuilt } from "../../shared/schemas/built.ts";
import type { Diagnosis, LabelDoctorRecord, LabelDoctorReport } from "../../shared/schemas/labelDoctor.ts";
import type { Project } from "../../shared/schemas/project.ts";
import { createPayloads } from "../../shared/stores/payloads.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import type { DatasetService } from "./datasets.ts";
import type { Delivery } from "./delivery.ts";

export interface LabelDoctorService {
  /** What was found stands: a version never changes. Only a report that failed is begun again. */
  call(project: Project, dataset: string, version: number): Promise<LabelDoctorReport>;
  report(project: Project, dataset: string, version: number): Promise<LabelDoctorReport>;
}

export function createLabelDoctorService(
  { labelDoctors, objects }: Pick<Stores, "labelDoctors" | "objects">,
  datasets: Pick<DatasetService, "requireReady">,
  delivery: Delivery,
): LabelDoctorService {
  const payloads = createPayloads(objects);
  const shown = async (record: LabelDoctorRecord): Promise<LabelDoctorReport> => {
    const { project_id, lease, failures, result, ...fields } = record;
    return { ...fields, result: result && ((await payloads.get(result)) as Diagnosis) };
  };
  return {
    async call(project, dataset, number) {
      const { version } = await datasets.requireReady(project, dataset, number);
      const earlier = await labelDoctors.lastOf(project.id, dataset, version);
      if (earlier && earlier.status !== "failed") return shown(earlier);
      const record: LabelDoctorRecord = {
        id: newId("label_doctor"),
        object: "label_doctor.report",
        ...{ dataset, version },
        ...unbuilt(project.id),
        result: null,
      };
      await labelDoctors.create(record);
      await delivery.send(record);
      return shown(record);
    },
    async report(project, dataset, version) {
      const found = await labelDoctors.lastOf(project.id, dataset, version);
      if (!found) throw notFound(`report on dataset '${dataset}'`, String(version), "version");
      return shown(found);
    },
  };
}
