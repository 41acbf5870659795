/** The task behind an answer's message: what the API would have answered, made here and left in the row. */
import { answerLife } from "../../../shared/answerStates.ts";
import { ApiError } from "../../../shared/errors.ts";
import { endpoints } from "../../../shared/inference/endpoints.ts";
import type { AnswerRecord } from "../../../shared/schemas/answerTask.ts";
import { createPayloads } from "../../../shared/stores/payloads.ts";
import { type HeldLease, Stopped, throwIfStopped } from "../../lease.ts";
import { leasedTask } from "../../leasedTask.ts";
import type { Outcome, Task } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import { refusalOf } from "../patience.ts";
import { type Attempt, type Question, refusal } from "./attempt.ts";
import { stored, writeAnswer, writeEvents } from "./write.ts";

const done: Outcome = { type: "done" };

export function answerTask(context: WorkerContext): Task {
  const attempt = (answer: AnswerRecord, lease: HeldLease) => attemptWork(context, answer, lease);
  return leasedTask(context.config, { rows: context.stores.answers, working: answerLife.working, attempt });
}

async function attemptWork(context: WorkerContext, answer: AnswerRecord, lease: HeldLease): Promise<Outcome> {
  const attempt: Attempt = { context, answer, lease };
  try {
    await work(attempt);
    return done;
  } catch (error) {
    if (error instanceof Stopped) return await putDown(attempt, error);
    if (lease.signal.aborted) return await putDown(attempt, new Stopped(lease.signal.reason));
    context.log.error({ answer: answer.id, error }, "answer failed");
    return await fail(attempt, refusalOf(error));
  }
}

async function work(attempt: Attempt): Promise<void> {
  const { context, answer, lease } = attempt;
  // A predecessor died when its events were on their way to the client: nobody can go on in its words.
  if (answer.relayed) throw new ApiError("internal_error", "The answer broke off and cannot be continued: ask again.");
  if (answer.failures >= context.config.maxAttempts) {
    throw new ApiError("internal_error", `No worker survived ${answer.failures} attempts at this answer.`);
  }
  throwIfStopped(attempt);
  if (answer.status === "queued") {
    const { answers } = context.stores;
    if (!(await answers.transition(answer, "running", { attempt: lease.attempt }))) throw await refusal(attempt);
    answer.status = "running";
  }
  const question = await questionOf(attempt);
  await (answer.is_stream ? writeEvents(attempt, question) : writeAnswer(attempt, question));
}

async function questionOf({ context, answer }: Attempt): Promise<Question> {
  const { projects, objects } = context.stores;
  const project = await projects.get(answer.project_id);
  const endpoint = endpoints.get(answer.endpoint);
  if (!project || !endpoint) throw new Error(`Answer ${answer.id} is of a project or an endpoint that does not exist`);
  return { project, endpoint, request: await createPayloads(objects).get(answer.request) };
}

async function putDown({ context, answer, lease }: Attempt, { reason }: Stopped): Promise<Outcome> {
  context.log.info({ answer: answer.id, reason }, "attempt put its work down");
  if (reason !== "shutdown") return done;
  const options = { attempt: lease.attempt, changes: { lease: null } };
  if (await context.stores.answers.transition(answer, "queued", options)) return { type: "retry", seconds: 0 };
  await context.stores.answers.release(answer, lease.attempt);
  return { type: "retry", seconds: 0 };
}

async function fail(attempt: Attempt, error: ApiError): Promise<Outcome> {
  const { context, answer, lease } = attempt;
  const changes = { response: await stored(attempt, error.status, error.toBody()), lease: null };
  await context.stores.answers.transition(answer, "failed", { attempt: lease.attempt, changes });
  return done;
}
