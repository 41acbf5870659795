/** Rows of recorded inferences, and the texts that are too large for them. */
import { InferenceRecord } from "../schemas/inference.ts";
import { type Objects, objectKeys } from "./objects.ts";
import { createPayloads } from "./payloads.ts";
import type { Table } from "./table.ts";

/** As it comes to be: with what was said itself; undefined where that is not to be kept. */
export interface NewInference extends Omit<InferenceRecord, "input" | "output"> {
  input?: unknown;
  output?: unknown;
}

export interface Inferences {
  /** Returns when it is durable. The same id again, which is the same request answered again, replaces what was kept. */
  put(inference: NewInference): Promise<void>;
  get(project: string, id: string): Promise<InferenceRecord | undefined>;
  /** Newest first. */
  list(project: string, options: { limit: number; after?: string }): Promise<InferenceRecord[]>;
  /** What was asked and answered; null where it was not kept. */
  read(inference: InferenceRecord): Promise<{ input: unknown; output: unknown }>;
}

const partition = (project: string) => `${project}#inference`;

export function createInferences(table: Table, objects: Objects): Inferences {
  const payloads = createPayloads(objects);
  return {
    async put({ input, output, ...inference }) {
      const { project_id, id } = inference;
      const store = (part: "input" | "output", value: unknown) =>
        value === undefined ? null : payloads.put(objectKeys.inference(project_id, id, part), value);
      const [storedInput, storedOutput] = await Promise.all([store("input", input), store("output", output)]);
      const record: InferenceRecord = { ...inference, input: storedInput, output: storedOutput };
      const key = { pk: partition(project_id), sk: id };
      if (await table.create(key, record)) return;
      await table.update(key, record, { expression: "attribute_exists(pk)" });
    },
    async get(project, id) {
      const item = await table.get({ pk: partition(project), sk: id });
      return item && InferenceRecord.parse(item);
    },
    async list(project, options) {
      const items = await table.query(partition(project), { ...options, descending: true });
      return items.map((item) => InferenceRecord.parse(item));
    },
    async read({ input, output }) {
      const [asked, answered] = await Promise.all([input, output].map((part) => part && payloads.get(part)));
      return { input: asked ?? null, output: answered ?? null };
    },
  };
}
