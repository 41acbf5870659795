/** Answers are recorded where their project or the request wants it: durable before the last byte of the answer is sent. */
import { hash } from "node:crypto";
import { timeOfId } from "../ids.ts";
import type { Assignment } from "../schemas/assignment.ts";
import type { Metadata } from "../schemas/metadata.ts";
import type { Project } from "../schemas/project.ts";
import type { Exposures } from "../stores/exposures.ts";
import type { Inferences, NewInference } from "../stores/inferences.ts";
import type { Answered, StreamEvent, Streamed } from "./endpoint.ts";
import { createExposer, expiryOf } from "./exposed.ts";
import type { Meter } from "./metered.ts";
import { type TokenUsage, usageOf } from "./usage.ts";

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
  /** Of the API key that asks; absent or null: none does, or it is not known. */
  api_key_id?: string | null;
}

export interface Recorder {
  answer<Answer>(inference: Inference, answer: () => Promise<Answered<Answer>>): Promise<Answered<Answer>>;
  stream(inference: Inference, stream: () => Promise<Streamed>): Promise<Streamed>;
}

type Ending = Pick<Answered<unknown>, "model" | "digest"> & { output: unknown; is_complete: boolean };

/**
 * Refusals are no inferences and leave no record; a record that cannot be stored fails its answer. A call that an
 * experiment assigned leaves its exposure, whatever else is kept and however it ends. Without a `meter` whoever calls counts.
 */
export function createRecorder(
  inferences: Pick<Inferences, "put">,
  exposures: Pick<Exposures, "log">,
  meter?: Meter,
): Recorder {
  const exposer = createExposer(exposures);
  const record = async (inference: Inference, latency_ms: number, ending: Ending) => {
    // What broke off is no completion to be found again.
    const isStored = ending.is_complete && asksToStore(inference);
    const kept = isStored ? "full" : byPolicy(inference);
    if (kept === "none") return;
    const { output, ...known } = ending;
    const said = kept === "full" ? { input: inference.request, output, metadata: labelsOf(inference) } : {};
    await inferences.put({ ...recordOf(inference), latency_ms, ...known, ...said, is_stored: isStored });
  };
  const put = async (inference: Inference, started: number, ending: Ending, error?: unknown) => {
    const latency = Math.round(performance.now() - started);
    const fate = { latency_ms: ending.is_complete ? latency : null, output: ending.output, error };
    await Promise.all([record(inference, latency, ending), exposer.log(inference, fate)]);
  };
  const count = async (inference: Inference, model: string, usage: TokenUsage) => {
    const { id, project, endpoint, api_key_id } = inference;
    await meter?.add(project.id, { id, endpoint, model, usage, api_key_id });
  };
  /** What went wrong is told before that it could not be written down. */
  const expose = (inference: Inference, error: unknown) =>
    exposer.log(inference, { latency_ms: null, output: undefined, error }).catch(() => {});

  async function* recordedEvents(inference: Inference, started: number, streamed: Streamed) {
    const { events, model, digest, whole } = streamed;
    const said: StreamEvent[] = [];
    const isFull = byPolicy(inference) === "full";
    let sent = 0;
    let is_complete = false;
    let thrown: unknown;
    try {
      for await (const event of events) {
        if (isFull) said.push(event);
        sent++;
        yield event;
      }
      is_complete = true;
    } catch (error) {
      thrown = error;
      throw error;
    } finally {
      const body = is_complete ? whole() : undefined;
      const output = is_complete ? body : { events: said };
      // Of what broke off it is known only how much was on its way: about a token an event.
      const usage = is_complete ? usageOf(body) : { input_tokens: 0, output_tokens: sent };
      const ending = { model, digest, output, is_complete };
      await Promise.all([put(inference, started, ending, thrown), count(inference, model, usage)]);
    }
  }

  return {
    async answer(inference, answer) {
      if (!isWanted(inference)) {
        const answered = await answer();
        await count(inference, answered.model, usageOf(answered.body));
        return answered;
      }
      const started = performance.now();
      const answered = await orExpose(answer, (error) => expose(inference, error));
      const { body: output, model, digest } = answered;
      const ending = { model, digest, output, is_complete: true };
      await Promise.all([put(inference, started, ending), count(inference, model, usageOf(output))]);
      return answered;
    },
    async stream(inference, stream) {
      if (!meter && !isWanted(inference)) return stream();
      const started = performance.now();
      const streamed = await orExpose(stream, (error) => expose(inference, error));
      return { ...streamed, events: recordedEvents(inference, started, streamed) };
    },
  };
}

async function orExpose<Result>(work: () => Promise<Result>, expose: (error: unknown) => Promise<void>) {
  try {
    return await work();
  } catch (error) {
    await expose(error);
    throw error;
  }
}

function recordOf({ id, project, endpoint, episode_id = null, assignment }: Inference) {
  const created_at = Math.floor(timeOfId(id) / 1000);
  return {
    id,
    project_id: project.id,
    endpoint,
    function: assignment?.function ?? null,
    variant: assignment?.variant ?? null,
    experiment_id: assignment?.experiment?.id ?? null,
    unit: assignment?.unit.key ?? null,
    episode_id,
    metadata: null,
    created_at,
    expires_at: expiryOf(project, created_at),
  } satisfies Partial<NewInference>;
}

function isWanted(inference: Inference): boolean {
  return byPolicy(inference) !== "none" || asksToStore(inference) || inference.assignment?.experiment != null;
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
