/** Answers are recorded where their project wants it: the row is durable before the last byte of the answer is sent. */
import type { Project } from "../schemas/project.ts";
import type { Inferences } from "../stores/inferences.ts";
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
}

export interface Recorder {
  answer<Answer>(inference: Inference, answer: () => Promise<Answered<Answer>>): Promise<Answered<Answer>>;
  stream(inference: Inference, stream: () => Promise<Streamed>): Promise<Streamed>;
}

type Ending = Pick<Answered<unknown>, "model" | "digest"> & { output: unknown; is_complete: boolean };

/** Refusals are no inferences and leave no record. A record that cannot be stored fails its answer. */
export function createRecorder(inferences: Pick<Inferences, "put">): Recorder {
  const put = async ({ id, project, endpoint, request }: Inference, started: number, ending: Ending) => {
    const { output, ...known } = ending;
    const texts = project.inference_records === "full" ? { input: request, output } : {};
    await inferences.put({
      id,
      project_id: project.id,
      endpoint,
      variant: null,
      latency_ms: Math.round(performance.now() - started),
      created_at: Math.floor(Date.now() / 1000),
      ...known,
      ...texts,
    });
  };

  async function* recordedEvents(inference: Inference, started: number, { events, model, digest }: Streamed) {
    const said: StreamEvent[] = [];
    const isFull = inference.project.inference_records === "full";
    let is_complete = false;
    try {
      for await (const event of events) {
        if (isFull) said.push(event);
        yield event;
      }
      is_complete = true;
    } finally {
      await put(inference, started, { model, digest, output: { events: said }, is_complete });
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

function isWanted({ project }: Inference): boolean {
  return (project.inference_records ?? "none") !== "none";
}
