/** One try at an answer by one worker. */
import type { AnyEndpoint } from "../../../shared/inference/endpoints.ts";
import type { AnswerRecord } from "../../../shared/schemas/answerTask.ts";
import type { ProjectRecord } from "../../../shared/schemas/project.ts";
import { type HeldLease, Stopped, stopReason } from "../../lease.ts";
import type { WorkerContext } from "../context.ts";

export interface Attempt {
  context: WorkerContext;
  /** The row as it was when the lease was taken, and what this attempt changed since. */
  answer: AnswerRecord;
  lease: HeldLease;
}

export interface Question {
  project: ProjectRecord;
  endpoint: AnyEndpoint;
  /** As the API checked it. */
  request: unknown;
}

/** The row refused a write: somebody changed it since the last look, and this tells what for. */
export async function refusal({ context, answer, lease }: Attempt): Promise<Stopped> {
  const row = await context.stores.answers.get(answer.project_id, answer.id);
  return new Stopped(stopReason(row, lease.attempt, answer.status) ?? "lost");
}
