/** An answer comes to be in its row: as one body, or as chunks of events beside it while it is made. */
import type { Answered, StreamEvent } from "../../../shared/inference/endpoint.ts";
import { usageRecord } from "../../../shared/inference/metered.ts";
import type { Inference } from "../../../shared/inference/recorded.ts";
import { type TokenUsage, usageOf } from "../../../shared/inference/usage.ts";
import { nanosPerUnit } from "../../../shared/pricing/prices.ts";
import type { AnswerChunk } from "../../../shared/schemas/answerTask.ts";
import { chunkWrite } from "../../../shared/stores/answers.ts";
import { objectKeys } from "../../../shared/stores/objects.ts";
import { createPayloads } from "../../../shared/stores/payloads.ts";
import { usageWrite } from "../../../shared/stores/usage.ts";
import { throwIfStopped } from "../../lease.ts";
import { askPatiently, unlessAborted } from "../patience.ts";
import { type Attempt, type Question, refusal } from "./attempt.ts";

export async function writeAnswer(attempt: Attempt, question: Question): Promise<void> {
  const { context, lease } = attempt;
  const { signal } = lease;
  const call = { ...question, id: attempt.answer.request_id, context: context.inference, signal };
  const ask = () => context.recorder.answer(inferenceOf(attempt, question), () => question.endpoint.answer(call));
  const answered = await unlessAborted(askPatiently(ask, signal), signal);
  const { digest, body } = answered;
  await complete(attempt, usageOf(body), { digest, response: await stored(attempt, 200, body) });
}

/** A client sees an event this long after it was made, at most, and a row is written no more often. */
const chunkMilliseconds = 60;
const chunkBytes = 100 * 1024;

export async function writeEvents(attempt: Attempt, question: Question): Promise<void> {
  const { context, lease } = attempt;
  const { signal } = lease;
  const { stream, path } = question.endpoint;
  if (!stream) throw new Error(`${path} does not stream`);
  const call = { ...question, id: attempt.answer.request_id, context: context.inference, signal };
  const begin = () => context.recorder.stream(inferenceOf(attempt, question), () => stream(call));
  const { events, digest, whole } = await unlessAborted(askPatiently(begin, signal), signal);
  const chunks = new ChunkWriter(attempt);
  for await (const event of events) {
    throwIfStopped(attempt);
    await chunks.add(event);
  }
  throwIfStopped(attempt);
  await chunks.flush();
  await complete(attempt, usageOf(whole()), { digest });
}

class ChunkWriter {
  readonly #attempt: Attempt;
  #events: StreamEvent[] = [];
  #bytes = 0;
  #count = 0;
  #since = 0;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  async add(event: StreamEvent): Promise<void> {
    this.#events.push(event);
    this.#bytes += JSON.stringify(event).length;
    // The first event is on its way at once.
    if (this.#bytes >= chunkBytes || Date.now() - this.#since >= chunkMilliseconds) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#events.length === 0) return;
    const { context, answer, lease } = this.#attempt;
    const chunk = { events: this.#events, expires_at_ttl: answer.expires_at_ttl } as AnswerChunk;
    const write = chunkWrite(answer, lease.attempt, this.#count, chunk);
    const changes = this.#count === 0 ? { written_by: lease.attempt } : {};
    if (!(await context.stores.answers.record(answer, lease.attempt, changes, [write])))
      throw await refusal(this.#attempt);
    Object.assign(answer, changes);
    this.#events = [];
    this.#bytes = 0;
    this.#count++;
    this.#since = Date.now();
  }
}

/** Under the id of the request that asked. */
function inferenceOf({ answer }: Attempt, { project, endpoint, request }: Question): Inference {
  const { request_id: id, episode_id, assignment } = answer;
  return { id, project, endpoint: endpoint.path, request, episode_id, assignment };
}

type Completion = Pick<Answered<unknown>, "digest"> & { response?: Awaited<ReturnType<typeof stored>> };

/** The answer and what it is charged come to be in one write. */
async function complete(attempt: Attempt, usage: TokenUsage, changes: Completion): Promise<void> {
  const { context, answer, lease } = attempt;
  const { request_id: id, endpoint, model, project_id } = answer;
  const charged = usageRecord(context.config.prices, { id, endpoint, model, usage });
  const options = {
    attempt: lease.attempt,
    changes: { ...changes, written_by: lease.attempt, lease: null },
    writes: [usageWrite(project_id, id, [charged])],
  };
  if (!(await context.stores.answers.transition(answer, "completed", options))) throw await refusal(attempt);
  context.metrics?.add("Cost", project_id, charged.nanos / nanosPerUnit);
}

/** A body as the row holds it. */
export async function stored({ context, answer, lease }: Attempt, status_code: number, body: unknown) {
  const key = objectKeys.answer(answer.project_id, answer.id, lease.attempt);
  return { status_code, body: await createPayloads(context.stores.objects).put(key, body) };
}
