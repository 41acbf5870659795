/** Second phase, whatever the method: learn on a device of its own; events and checkpoints are stored as they come. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CorpusReport } from "../../../shared/engine/pretraining/material.ts";
import type { PretrainingEvent, PretrainingRecord } from "../../../shared/engine/pretraining/pretrain.ts";
import { type Device, DeviceError } from "../../../shared/engine/runtime/device.ts";
import type { StepRecord, TrainingEvent } from "../../../shared/engine/training/train.ts";
import { newId } from "../../../shared/ids.ts";
import type { CheckpointMetrics } from "../../../shared/schemas/checkpoint.ts";
import { checkpointWrite } from "../../../shared/stores/checkpoints.ts";
import { eventWrite } from "../../../shared/stores/events.ts";
import { ObjectMissing, objectKeys } from "../../../shared/stores/objects.ts";
import { keptDays } from "../../../shared/stores/transient.ts";
import { Stopped, type StopReason } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import { type Attempt, append, record } from "./attempt.ts";
import { charge } from "./charge.ts";
import { raceHandlers } from "./race.ts";

/** Steps are told no more often than this; what validation found is always told. */
const eventMilliseconds = 500;

/**
 * How long a device may take to come to a last checkpoint. A step or a preparation that takes longer is done again from
 * the checkpoint before, to the same bits. With half a second to notice it, a pause stays within two. A cancelled job has no use for one, and one that is lost must not write any.
 */
const checkpointGrace: Record<StopReason, number> = { paused: 1200, shutdown: 20_000, cancelled: 0, lost: 0 };

type Event = TrainingEvent | PretrainingEvent;
type Metrics = StepRecord | PretrainingRecord;

/** What a device is asked for, and what is done with what it leaves behind. */
export interface Learning<Finished> {
  start(
    device: Device,
    places: { directory: string; checkpoint: string | null; checkpointSteps: number; checkpointSeconds: number },
  ): AsyncIterable<Exclude<Event, { type: "finished" }> | Finished>;
  finish(attempt: Attempt, finished: Finished): Promise<void>;
}

/** Returns when the job has succeeded; throws Stopped once a last checkpoint is stored. */
export async function learn<Finished extends { type: "finished" }>(
  attempt: Attempt,
  { start, finish }: Learning<Finished>,
): Promise<void> {
  const { context, job, lease, directory } = attempt;
  const checkpoint = await fetchCheckpoint(attempt);
  const device = context.startDevice();
  const progress: Progress = { total: 0, first: 0, startedAt: Date.now(), toldAt: 0, tokens: 0 };
  let patience: NodeJS.Timeout | undefined;
  const abandon = () => {
    // Before the first step there is nothing to keep.
    const milliseconds = progress.total ? checkpointGrace[lease.signal.reason as StopReason] : 0;
    patience = setTimeout(() => device.kill(), milliseconds);
  };
  lease.signal.addEventListener("abort", abandon, { once: true });
  try {
    const { checkpointSteps, checkpointSeconds } = context.config;
    for await (const event of start(device, { directory, checkpoint, checkpointSteps, checkpointSeconds })) {
      if (event.type === "finished") await finish(attempt, event as Finished);
      else await (handlers[event.type] as Handler<typeof event.type>)(attempt, event as never, progress);
    }
  } catch (error) {
    if (lease.signal.aborted) throw new Stopped(lease.signal.reason);
    throw error instanceof DeviceError && error.code ? new PermanentFailure(error.code, error.message, "model") : error;
  } finally {
    lease.signal.removeEventListener("abort", abandon);
    clearTimeout(patience);
    device.kill();
  }
  if (job.status !== "succeeded") throw new Stopped(lease.signal.reason);
}

async function fetchCheckpoint({ context, job, directory }: Attempt): Promise<string | null> {
  if (!job.latest_checkpoint) return null;
  const { object_key, digest } = job.latest_checkpoint;
  const path = join(directory, "resume.safetensors");
  try {
    await context.stores.objects.download(object_key, path, digest);
  } catch (error) {
    if (!(error instanceof ObjectMissing)) throw error;
    const kept = `Checkpoints are kept for ${keptDays.checkpoint} days at most`;
    throw new PermanentFailure("checkpoint_expired", `${kept}, and this job's is gone. Create the job again.`);
  }
  return path;
}

interface Progress {
  total: number;
  /** Step this attempt began with. */
  first: number;
  startedAt: number;
  toldAt: number;
  /** Learnt from so far. */
  tokens: number;
}

type HandledType = Exclude<Event["type"], "finished">;
type EventOf<Type extends HandledType> = Extract<Event, { type: Type }>;
type Handler<Type extends HandledType> = (attempt: Attempt, event: EventOf<Type>, progress: Progress) => Promise<void>;

const handlers: { [Type in HandledType]: Handler<Type> } = {
  ...raceHandlers,

  async started(attempt, event, progress) {
    const { step, totalSteps, hyperparameters } = event;
    Object.assign(progress, { total: totalSteps, first: step });
    await record(attempt, { hyperparameters });
    if ("corpus" in event && step === 0) await append(attempt, { level: "info", message: corpusText(event.corpus) });
  },

  async refit(attempt, { rows }) {
    const message = `Held-out rows judged; learning the model to keep afresh from all ${rows} rows`;
    await append(attempt, { level: "info", message });
  },

  async step(attempt, { record: metrics, tokens }, progress) {
    progress.tokens = tokens;
    const judged = metrics.valid_loss !== undefined;
    if (!judged && Date.now() - progress.toldAt < eventMilliseconds) return;
    progress.toldAt = Date.now();
    const loss = metrics.train_loss.toFixed(4);
    const message = `Step ${metrics.step}/${progress.total}: training loss=${loss}${validationText(metrics)}`;
    const data = wireMetrics(metrics, progress);
    await record(attempt, { trained_tokens: tokens, estimated_finish: estimate(metrics.step, progress) }, [
      eventWrite(attempt.job, { level: "info", type: "metrics", message, data }),
    ]);
  },

  async checkpoint(attempt, { step, path, record: metrics }, progress) {
    const { context, job, lease } = attempt;
    const key = objectKeys.checkpoint(job.project_id, job.id, step, lease.attempt);
    const { digest } = await context.stores.objects.putFile(key, path, { transient: "checkpoint" });
    await rm(path);
    const row = checkpointWrite({
      id: newId("checkpoint"),
      object: "fine_tuning.job.checkpoint",
      created_at: Math.floor(Date.now() / 1000),
      fine_tuned_model_checkpoint: `${attempt.model}:ckpt-step-${step}`,
      step_number: step,
      fine_tuning_job_id: job.id,
      metrics: metrics ? checkpointMetrics(metrics) : { step },
      project_id: job.project_id,
      object_key: key,
      digest,
    });
    const event = eventWrite(job, { level: "info", message: `Checkpoint created at step ${step}` });
    // Getting further than any attempt before ends a row of failures: only a job that is stuck runs out of attempts.
    const { changes, writes } = charge(attempt, progress);
    const reached = { latest_checkpoint: { object_key: key, digest, step }, failures: 0, ...changes };
    await record(attempt, reached, [row, event, ...writes]);
  },
};

function corpusText({ documents, duplicates, nearDuplicates, heldOut, tokens }: CorpusReport): string {
  const repeats = `${duplicates} repeat an earlier one and ${nearDuplicates} nearly`;
  return `${documents} texts, of which ${repeats}; ${heldOut} are held out; ${tokens} tokens to learn from`;
}

function validationText(metrics: Metrics): string {
  const { valid_loss, valid_accuracy } = metrics;
  if (valid_loss === undefined) return "";
  const perplexity = "valid_perplexity" in metrics ? `, perplexity=${metrics.valid_perplexity!.toFixed(2)}` : "";
  return `, validation loss=${valid_loss.toFixed(4)}, accuracy=${valid_accuracy!.toFixed(4)}${perplexity}`;
}

function wireMetrics(metrics: Metrics, { total }: Progress): Record<string, unknown> {
  const { valid_accuracy: accuracy, valid_macro_f1: macro_f1, ...rest } = metrics as StepRecord;
  return { ...rest, ...(accuracy === undefined ? {} : { accuracy, macro_f1 }), total_steps: total };
}

function checkpointMetrics(metrics: Metrics): CheckpointMetrics {
  return {
    step: metrics.step,
    train_loss: metrics.train_loss,
    train_mean_token_accuracy: metrics.train_accuracy,
    full_valid_loss: metrics.valid_loss,
    full_valid_mean_token_accuracy: metrics.valid_accuracy,
  };
}

function estimate(step: number, { total, first, startedAt }: Progress): number | null {
  const done = step - first;
  if (done < 2) return null;
  const perStep = (Date.now() - startedAt) / done;
  return Math.ceil((Date.now() + perStep * (total - step)) / 1000);
}
