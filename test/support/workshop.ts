/** A deployment with workers: jobs are asked for through the SDK, done by processes, and looked at in the rows. */
import { createHash } from "node:crypto";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { toFile } from "openai";
import type { JobRecord, Method } from "../../shared/schemas/fineTuningJob.ts";
import type { JobEvent } from "../../shared/schemas/jobEvent.ts";
import { type Deployment, type DeploymentOptions, deploy } from "./deployment.ts";
import { type Gate, startGate } from "./gate.ts";
import { jsonl } from "./trainingData.ts";
import { until } from "./until.ts";
import { startWorker, type WorkerProcess } from "./workerProcess.ts";

export interface JobRequest {
  /** Rows, or the file as it is. */
  training: readonly unknown[] | string | Buffer;
  filename?: string;
  validation?: readonly unknown[] | string;
  model?: string;
  seed?: number;
  epochs?: number;
  batch?: number;
  /** Factor on the base model's learning rate. */
  rate?: number;
  /** With settings beside the hyperparameters. Default: supervised. */
  method?: { type: Method["type"] } & Record<string, unknown>;
}

export interface Workshop extends Deployment {
  /** Between the workers and the table. */
  gate: Gate;
  /** Ends with the workshop, if not before. */
  work(environment?: Record<string, string>): Promise<WorkerProcess>;
  submit(request: JobRequest): Promise<string>;
  job(id: string): Promise<JobRecord>;
  /** Oldest first. */
  events(id: string): Promise<JobEvent[]>;
  /** Waits for a final state. */
  finished(id: string, seconds?: number): Promise<JobRecord>;
  /** Of the model's bytes, as they are in the bucket. */
  modelDigest(job: JobRecord): Promise<string>;
  /** Whether the queue holds no message, visible or in flight. */
  empty(): Promise<boolean>;
  /** Keys in the bucket. */
  stored(prefix: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openWorkshop(options: DeploymentOptions = {}): Promise<Workshop> {
  const deployment = await deploy(options);
  const { stores, a, aws, names } = deployment;
  const gate = await startGate(deployment.environment.AWS_ENDPOINT_URL_DYNAMODB!);
  const client = deployment.client();
  const workers: WorkerProcess[] = [];

  const upload = async (content: JobRequest["training"], name: string) => {
    const bytes = typeof content === "string" || Buffer.isBuffer(content) ? content : jsonl(content);
    return (await client.files.create({ file: await toFile(Buffer.from(bytes), name), purpose: "fine-tune" })).id;
  };

  const job: Workshop["job"] = async (id) => (await stores.jobs.get(a.project.id, id))!;
  return {
    ...deployment,
    gate,
    job,
    async work(environment = {}) {
      const worker = await startWorker(deployment, { AWS_ENDPOINT_URL_DYNAMODB: gate.url, ...environment });
      workers.push(worker);
      return worker;
    },
    async submit({
      training,
      filename = "train.jsonl",
      validation,
      model = "millrace-ngram",
      seed = 7,
      epochs,
      batch,
      rate = 1,
      method: { type, ...settings } = { type: "supervised" },
    }) {
      const hyperparameters = { n_epochs: epochs ?? 2, batch_size: batch ?? 16, learning_rate_multiplier: rate };
      const { id } = await client.fineTuning.jobs.create({
        model,
        training_file: await upload(training, filename),
        validation_file: validation && (await upload(validation, filename)),
        seed,
        // Methods of Millrace's own are not in the SDK's types.
        method: { type: type as "supervised", [type]: { hyperparameters, ...settings } },
      });
      return id;
    },
    events: async (id) => (await stores.events.list({ project_id: a.project.id, id }, { limit: 10_000 })).reverse(),
    finished: (id, seconds = 30) =>
      until(
        async () => {
          const row = await job(id);
          return row.finished_at !== null && row;
        },
        { what: `${id} to be over`, seconds },
      ),
    async modelDigest({ fine_tuned_model }) {
      const model = (await stores.models.get(a.project.id, fine_tuned_model!))!;
      const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: names.bucket, Key: model.object_key }));
      return createHash("sha256")
        .update(await Body!.transformToByteArray())
        .digest("hex");
    },
    async empty() {
      const counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
      const asked = new GetQueueAttributesCommand({ QueueUrl: names.queueUrl, AttributeNames: [...counts] });
      const { Attributes } = await aws.sqs.send(asked);
      return counts.every((count) => Attributes![count] === "0");
    },
    async stored(prefix) {
      const { Contents = [] } = await aws.s3.send(
        new ListObjectsV2Command({ Bucket: names.bucket, Prefix: `${a.project.id}/${prefix}` }),
      );
      return Contents.map(({ Key }) => Key!);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.end("SIGKILL")));
      await gate.close();
      await deployment.close();
    },
  };
}

/** A write to the table that concerns the job and holds the text, such as an event's message. */
export function telling(id: string, text: string) {
  return ({ body }: { body: string }) => body.includes(id) && body.includes(text);
}
