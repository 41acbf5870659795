/** Rows of recorded inferences, what was said in each, and the ways to find them. */
import { InferenceContent, InferenceRecord } from "../schemas/inference.ts";
import type { Metadata } from "../schemas/metadata.ts";
import type { Episodes } from "./episodes.ts";
import { createIndexedRows, type IndexedRows, timeToLiveOf } from "./indexedRows.ts";
import { type Leftover, leftoverWrite, objectKeysOf } from "./leftovers.ts";
import { type Objects, objectKeys } from "./objects.ts";
import { createPayloads, type Payloads } from "./payloads.ts";
import type { Table, TransactWrite } from "./table.ts";

/** As it comes to be: with what was said itself; undefined where that is not to be kept. */
export interface NewInference
  extends Omit<InferenceRecord, "content" | "feedback" | "feedback_revision" | "experiment_id" | "unit"> {
  /** Of a call of a function. */
  experiment_id?: string | null;
  unit?: string | null;
  input?: unknown;
  output?: unknown;
}

/** How inferences are found without reading them all. */
export type InferenceIndex = "episode_id" | "function" | "model" | "stored" | "judged";

export interface Inferences
  extends Pick<IndexedRows<InferenceRecord, InferenceIndex>, "get" | "getMany" | "stream" | "keyOf" | "pointerTo"> {
  /** Returns when it is durable. The same id again, which is the same request answered again, replaces what was kept. */
  put(inference: NewInference): Promise<void>;
  /** What was asked and answered; null where it was not kept. */
  read(inference: InferenceRecord): Promise<{ input: unknown; output: unknown }>;
  /** False when there is none. */
  setMetadata(inference: InferenceRecord, metadata: Metadata | null): Promise<boolean>;
  /** With what was said and its feedback; false when it was gone. */
  delete(inference: InferenceRecord): Promise<boolean>;
}

/** What DynamoDB reads at the price of the smallest row: lists read rows with all that is in them. */
const mostBytesInRow = 4096;
const exists = { expression: "attribute_exists(sk)" };
const contentKey = ({ project_id, id }: Pick<InferenceRecord, "project_id" | "id">) => {
  return { pk: `${project_id}#inference_content`, sk: id };
};
const now = () => Math.floor(Date.now() / 1000);

export function createInferences(
  table: Table,
  objects: Objects,
  { episodes, clear }: { episodes: Pick<Episodes, "prolong">; clear(leftover: Leftover): Promise<void> },
): Inferences {
  const payloads = createPayloads(objects);
  const rows = createIndexedRows<InferenceRecord, InferenceIndex>(table, {
    noun: "inference",
    parse: (item) => InferenceRecord.parse(item),
    indexes: ({ episode_id, function: called, model, is_stored, feedback }) => ({
      episode_id,
      function: called,
      model,
      stored: is_stored ? "true" : null,
      judged: Object.keys(feedback).length ? "true" : null,
    }),
  });

  /** What is written beside the row. */
  const companions = (row: InferenceRecord, content: InferenceContent): TransactWrite[] => {
    const { project_id, expires_at } = row;
    const writes = rows.pointers(row);
    if (!row.content && (content.input || content.output)) {
      writes.push({ type: "put", key: contentKey(row), item: { ...content, ...timeToLiveOf(expires_at) } });
    }
    const object_keys = objectKeysOf([content.input, content.output]);
    if (expires_at !== null && object_keys.length) {
      const leftover = { project_id, id: `${row.id}#expired`, object_keys, feedback_of: null };
      writes.push(leftoverWrite(leftover, expires_at));
    }
    return writes;
  };

  const readContent = async (inference: InferenceRecord): Promise<InferenceContent> => {
    if (inference.content) return inference.content;
    const item = await table.get(contentKey(inference));
    return item ? InferenceContent.parse(item) : { input: null, output: null };
  };

  return {
    ...rows,
    async put({ input, output, experiment_id = null, unit = null, ...fields }) {
      const inference = { ...fields, experiment_id, unit };
      const content = await storeContent(payloads, { ...inference, input, output });
      const inRow = sizeOf(content) <= mostBytesInRow ? content : null;
      const row: InferenceRecord = { ...inference, content: inRow, feedback: {}, feedback_revision: 0 };
      const { episode_id, expires_at, project_id } = row;
      const beside = companions(row, content);
      const key = rows.keyOf(row);
      if (!(await table.transact([{ type: "create", key, item: rows.itemOf(row) }, ...beside]))) {
        const changes = { ...inference, content: inRow, ...timeToLiveOf(expires_at) };
        await table.transact([{ type: "update", key, changes, condition: exists }, ...beside]);
      }
      if (episode_id !== null && expires_at !== null) await episodes.prolong(project_id, episode_id, expires_at);
    },
    async read(inference) {
      const content = await readContent(inference);
      const parts = [content.input, content.output].map((part) => part && payloads.get(part));
      const [input, output] = await Promise.all(parts);
      return { input: input ?? null, output: output ?? null };
    },
    setMetadata: (inference, metadata) => table.update(rows.keyOf(inference), { metadata }, exists),
    async delete(inference) {
      const { project_id, id } = inference;
      const content = await readContent(inference);
      const object_keys = objectKeysOf([content.input, content.output]);
      const leftover = { project_id, id: `${id}#deleted`, object_keys, feedback_of: id };
      const judged: TransactWrite = { type: "delete", key: rows.pointerTo(inference, "judged", "true").key };
      const others = rows.deletes({ ...inference, feedback: {} });
      const said: TransactWrite = { type: "delete", key: contentKey(inference) };
      if (!(await table.transact([...others, judged, said, leftoverWrite(leftover, now())]))) return false;
      await clear(leftover);
      return true;
    },
  };
}

async function storeContent(payloads: Payloads, inference: NewInference): Promise<InferenceContent> {
  const { project_id, id } = inference;
  const store = (part: "input" | "output") =>
    inference[part] === undefined ? null : payloads.put(objectKeys.inference(project_id, id, part), inference[part]);
  const [input, output] = await Promise.all([store("input"), store("output")]);
  return { input, output };
}

/** In bytes, as far as it could be in a row; an object's content never can. */
function sizeOf({ input, output }: InferenceContent): number {
  const sizes = [input, output].map((part) => {
    if (part === null) return 0;
    return "json" in part ? Buffer.byteLength(part.json) : Number.POSITIVE_INFINITY;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
