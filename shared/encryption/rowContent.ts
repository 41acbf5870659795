/**
 * What of the rows of projects is sealed, by noun. Everything else is plain: keys, states, times, numbers, digests, ids, names
 * by which clients call things, and settings; conditions and filters of the table know plain values alone.
 */
import type { Payload } from "../schemas/payload.ts";
import { keyDeletedMessage } from "./sealing.ts";

/** One attribute of a row. */
export interface Content {
  /** `payload`: the JSON texts of payloads within it, whose object keys stay; else all of it. */
  is: "value" | "payload";
  /** What is read in its place when the key is deleted, by project; absent: nothing, such a row is refused. */
  lost?: (project: string) => unknown;
  /** What is written in its place then; absent: nothing, the write is refused. */
  unsealed?: (project: string) => unknown;
}

/** Without it the row says nothing. */
const needed: Content = { is: "value" };
/** The row tells its state without it. */
const left = (lost: unknown): Content => ({ is: "value", lost: () => lost });
/** By which workers end rows, whatever became of the key. */
const told = (lost: unknown): Content => ({ ...left(lost), unsealed: () => lost });
/** Read by itself, and refused then: the row can be listed and removed without it. */
const payload: Content = { is: "payload", lost: lostPayload };

const lostObject = "key_deleted";
/** An object that the bucket's door refuses. */
function lostPayload(project: string): Payload {
  return { object_key: `${project}/${lostObject}` };
}
export const isLostObject = (key: string): boolean => key.endsWith(`/${lostObject}`);

const lostName = "encryption key deleted";
const lostError = { code: "encryption_key_deleted", message: keyDeletedMessage, param: null };
const lostErrors = { object: "list", data: [{ ...lostError, line: null }] };
const metadata = left(null);
const error = told(lostError);

export type RowContent = Readonly<Record<string, Content>>;

const contents: Record<string, RowContent> = {
  alias_move: { reason: left(null) },
  answer: { request: payload, response: { ...payload, unsealed: lostPayload } },
  answer_chunk: { events: needed },
  batch: { metadata, errors: told(lostErrors) },
  // Whoever asks again then does the work again, which makes nothing twice.
  claim: { answer: { ...needed, unsealed: () => null } },
  dataset_version: { labels: left(null), error },
  episode: { feedback: left({}) },
  eval: { data_source_config: needed, testing_criteria: needed, name: left(lostName), metadata },
  eval_item: { content: payload },
  eval_run: {
    ...{ data_source: payload, per_testing_criteria_results: told([]), error, name: left(lostName), metadata },
  },
  event: { message: told(keyDeletedMessage), data: told(null) },
  experiment: { description: left(null), end_reason: told(null) },
  feedback: { value: payload },
  file: { filename: left(lostName), status_details: told(null) },
  file_upload: { filename: left(lostName) },
  function: { variants: needed, description: left(null), incumbent_reason: told(null) },
  inference: { content: payload, metadata, feedback: left({}) },
  inference_content: { input: payload, output: payload },
  job: { metadata, error },
  label_doctor: { result: payload, error },
  label_item: { text: needed, given: needed, suggestions: needed, subjects: needed, answers: needed, leases: needed },
  label_queue: { labels: left(null), error },
  metric: { description: left(null) },
  model: { columns: left(undefined) },
  promotion: { offline: left(null), history: told([]) },
};

/** Rows that say nothing of what customers' data says. */
const plain = new Set(
  [
    ["alias", "api_key", "bucket", "checkpoint", "dataset", "exposure", "file_upload_part", "leftover", "member"],
    ["permission", "permitted_model", "policy", "project", "rate_limit", "reservation", "retention", "spend_limit"],
    ["spent", "upload", "usage", "webhook_delivery", "webhook_due", "webhook_endpoint", "webhook_event"],
  ].flat(),
);

const ofProject = /^(proj_[^#]*)#([a-z_]+)/;

/** Undefined where nothing of the partition's rows is sealed. Throws of a noun that nobody has decided on. */
export function contentOf(pk: string): { project: string; content: RowContent } | undefined {
  const [, project, noun] = ofProject.exec(pk) ?? [];
  if (project === undefined || noun === undefined || plain.has(noun)) return undefined;
  const content = contents[noun];
  if (!content)
    throw new Error(`Rows of '${noun}' are neither in the list of what is sealed nor in that of what is not`);
  return { project, content };
}
