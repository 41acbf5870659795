/** Answers are recorded where their project or the request wants it: durable before the last byte of the answer is sent. */
import { hash } from "node:crypto";
import { timeOfId } from "../ids.ts";
import type { Assignment } from "../schemas/assignment.ts";
import type { Metadata } from "../schemas/metadata.ts";
import type { Project } from "../schemas/project.ts";
import type { Inferences, NewInference } from "../stores/inferences.ts";
import type { Answered, StreamEvent, Streamed } from "./endpoint.ts";

/** What is answered, as far as its record tells. */
export interface Inference {
  /** The id of the answer. */
  id: string;
  project: Project;
  /** Path of the endpoint. */
  endpoint: string;
  /** Checked by the endpoint's schema. */
  request: unknown;
  /** Absent or null: of none. */
  episode_id?: string | null;
  /** Of a call of a function; absent or null: a model was called. */
  assignment?: Assignment | null;
}

export interface Recorder {
  answer<Answer>(inference: Inference, answer: () => Promise<Answered<Answer>>): Promise<Answered<Answer>>;
  stream(inference: Inference, stream: () => Promise<Streamed>): Promise<Streamed>;
}

type Ending = Pick<Answered<unknown>, "model" | "digest"> & { output: unknown; is_complete: boolean };

const daySeconds = 24 * 60 * 60;

/** Refusals are no inferences and leave no record. A record that cannot be stored fails its answer. */
export function createRecorder(inferences: Pick<Inferences, "put">): Recorder {
  const put = async (inference: Inference, started: number, ending: Ending) => {
    // What broke off is no completion to be found again.
    const isStored = ending.is_complete && asksToStore(inference);
    const kept = isStored ? "full" : byPolicy(inference);
    if (kept === "none") return;
    const { output, ...known } = ending;
    const said = kept === "full" ? { input: inference.request, output, metadata: labelsOf(inference) } : {};
    await inferences.put({ ...recordOf(inference, started), ...known, ...said, is_stored: isStored });
  };

  async function* recordedEvents(inference: Inference, started: number, streamed: Streamed) {
    const { events, model, digest, whole } = streamed;
    const said: StreamEvent[] = [];
    const isFull = byPolicy(inference) === "full";
    let is_complete = false;
    try {
      for await (const event of events) {
        if (isFull) said.push(event);
        yield event;
      }
      is_complete = true;
    } finally {
      const output = is_complete ? whole() : { events: said };
      await put(inference, started, { model, digest, output, is_complete });
    }
  }

  return {
    async answer(inference, answer) {
      if (!isWanted(inference)) return answer();
      const started = performance.now();
      const answered = await answer();
      const { body: output, model, digest } = answered;
      await put(inference, started, { model, digest, output, is_complete: true });
      return answered;
    },
    async stream(inference, stream) {
      if (!isWanted(inference)) return stream();
      const started = performance.now();
      const streamed = await stream();
      return { ...streamed, events: recordedEvents(inference, started, streamed) };
    },
  };
}

function recordOf({ id, project, endpoint, episode_id = null, assignment }: Inference, started: number) {
  const created_at = Math.floor(timeOfId(id) / 1000);
  const days = project.inference_retention_days ?? null;
  return {
    id,
    project_id: project.id,
    endpoint,
    function: assignment?.function ?? null,
    variant: assignment?.variant ?? null,
    episode_id,
    metadata: null,
    latency_ms: Math.round(performance.now() - started),
    created_at,
    expires_at: days === null ? null : created_at + days * daySeconds,
  } satisfies Partial<NewInference>;
}

function isWanted(inference: Inference): boolean {
  return byPolicy(inference) !== "none" || asksToStore(inference);
}

function byPolicy({ id, project }: Inference) {
  const { inference_records: wanted = "none", inference_sampling_rate: rate = 1 } = project;
  return wanted !== "none" && isSampled(id, rate) ? wanted : "none";
}

/** The same for the id each time it is asked. */
export function isSampled(id: string, rate: number): boolean {
  return rate === 1 || hash("sha256", id, "buffer").readUInt32BE() < rate * 2 ** 32;
}

/** Only chat completions are found again by their own endpoint. */
function asksToStore({ endpoint, request }: Inference): boolean {
  return endpoint === "/v1/chat/completions" && (request as { store?: unknown }).store === true;
}

function labelsOf({ request }: Inference): Metadata | null {
  return (request as { metadata?: Metadata | null }).metadata ?? null;
}
