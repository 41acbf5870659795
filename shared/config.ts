/** The environment, parsed once at the start of each process and passed on from there. */
import { z } from "zod";
import { type EncryptionSettings, parseEncryption } from "./encryption/keyProvider.ts";
import { type Precision, precisions } from "./engine/quantization/precision.ts";
import { cudaRefusal, type DeviceChoice, deviceChoices } from "./engine/runtime/deviceChoice.ts";
import { type Prices, readPrices, usualPrices } from "./pricing/prices.ts";
import { type Limits, projectLimits } from "./schemas/rateLimit.ts";
import { usualLimits } from "./serving/limits.ts";

const seconds = z.coerce.number().positive();
const amount = z.coerce.number().int().positive();

/** CUDA that was asked for by name and is not there stops a process at its start, not a job at its turn. */
const Device = z.enum(deviceChoices).superRefine((choice, context) => {
  const refusal = choice === "cuda" ? cudaRefusal() : undefined;
  if (refusal) context.addIssue(refusal);
});

const SecretKeys = z.string().transform((text, context) => {
  const keys = text.split(",").map((key) => Buffer.from(key.trim(), "base64"));
  if (keys.every((key) => key.length === 32)) return keys;
  context.addIssue("32 bytes in base 64 each, parted by commas");
  return z.NEVER;
});

const Encryption = z.string().transform((text, context) => {
  const settings = parseEncryption(text);
  if (settings) return settings;
  context.addIssue("'file:' and a directory, or 'kms:' and a name for the deployment");
  return z.NEVER;
});

const Origins = z.string().transform((text, context) => {
  const origins = text.split(",").map((origin) => origin.trim());
  if (origins.every((origin) => origin === "*" || URL.parse(origin)?.origin === origin)) return origins;
  context.addIssue("origins such as https://app.example, without a path, parted by commas; or *");
  return z.NEVER;
});

export const workerQueues = ["jobs", "answers", "light"] as const;
export type WorkerQueue = (typeof workerQueues)[number];

const WorkerQueues = z
  .string()
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(z.enum(workerQueues)));

/** What a process may find in its environment. */
export const Environment = z.object({
  /** DynamoDB table, S3 bucket and SQS queues; the local cloud and the CDK stacks set these. */
  MILLRACE_TABLE: z.string().default("millrace"),
  MILLRACE_BUCKET: z.string().default("millrace-data"),
  MILLRACE_QUEUE_URL: z.url(),
  MILLRACE_DEAD_LETTER_QUEUE_URL: z.url(),
  /** Where somebody waits for the answer, so that it is not behind a training; without: the same queue. */
  MILLRACE_ANSWER_QUEUE_URL: z.url().optional(),
  /** For what needs no GPU, so that workers without one may do it; without: with answers and trainings. */
  MILLRACE_LIGHT_QUEUE_URL: z.url().optional(),
  /** For webhooks, so that whoever sends them may be where the internet is; without: with what needs no GPU. */
  MILLRACE_WEBHOOK_QUEUE_URL: z.url().optional(),
  /** A worker that is silent for this long has lost its job to the next one. */
  MILLRACE_LEASE_SECONDS: seconds.default(30),
  /** How often a worker looks whether its job was paused or cancelled. */
  MILLRACE_POLL_SECONDS: seconds.default(0.5),
  MILLRACE_SWEEP_SECONDS: seconds.default(15),
  MILLRACE_CHECKPOINT_SECONDS: seconds.default(60),
  /** Besides the seconds: also every so many steps. 0 leaves it to the seconds. */
  MILLRACE_CHECKPOINT_STEPS: z.coerce.number().int().min(0).default(0),
  /** What a worker that was told to stop may take to put its work down, and the API to answer what it has begun; a spot instance is gone after two minutes. */
  MILLRACE_STOP_SECONDS: seconds.default(100),
  /** Which queues a worker takes messages from. */
  MILLRACE_WORKER_QUEUES: WorkerQueues.default([...workerQueues]),
  /** A file that a worker touches as long as it is well; see `workers/health.ts`. */
  MILLRACE_HEALTH_FILE: z.string().min(1).optional(),
  /** Set by ECS in its tasks: where they ask not to be ended while they are at work. */
  ECS_AGENT_URI: z.url().optional(),
  /** `emf`: figures as lines of CloudWatch's embedded metric format on the standard output; see `shared/telemetry`. */
  MILLRACE_METRICS: z.enum(["none", "emf"]).default("none"),
  /** Where X-Ray's daemon listens, such as `127.0.0.1:2000`; absent: workers tell no traces. */
  AWS_XRAY_DAEMON_ADDRESS: z.string().min(1).optional(),
  MILLRACE_MAX_ATTEMPTS: z.coerce.number().int().positive().default(3),
  MILLRACE_MAX_UPLOAD_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(512 * 1024 * 1024),
  /** Models of more bytes are answered by workers, through the queue; 0: only those that an operator marked as heavy. */
  MILLRACE_HEAVY_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(2 * 1024 * 1024 * 1024),
  /** How long a request waits for a worker's answer; a gateway in front may wait no more than 29 seconds. */
  MILLRACE_ANSWER_WAIT_SECONDS: seconds.default(25),
  /** A batch that has been at work for so long goes behind what waits in the queue. */
  MILLRACE_BATCH_TURN_SECONDS: seconds.default(300),
  /** What models are trained and run on; `auto` is CUDA where it works, else the CPU. */
  MILLRACE_DEVICE: Device.default("auto"),
  /** Threads of one device process; 0 leaves it to the number of cores. */
  MILLRACE_DEVICE_THREADS: z.coerce.number().int().min(0).default(0),
  /** Bytes a device process may plan to use; 0: most of what the machine or the container has. */
  MILLRACE_DEVICE_MEMORY_BYTES: z.coerce.number().int().min(0).default(0),
  /** In what imported bases are served; `auto` is what was measured and chosen for each when it was imported. */
  MILLRACE_PRECISION: z.enum(["auto", ...precisions]).default("auto"),
  /** The most that the adapters of one base may take in memory. */
  MILLRACE_ADAPTER_BYTES: z.coerce.number().int().positive().default(usualLimits.adapterBytes),
  /** Device processes of the model host; 0: on a CPU one for each thread, four at most, elsewhere one. */
  MILLRACE_SERVING_PROCESSES: z.coerce.number().int().min(0).max(64).default(0),
  /** How long an idle device waits for company, where the batch before had some. */
  MILLRACE_BATCH_WAIT_MILLISECONDS: z.coerce.number().min(0).max(1000).default(usualLimits.maxWaitMilliseconds),
  /** Texts that may wait for their batch; more are refused with 429. */
  MILLRACE_MAX_WAITING: z.coerce.number().int().positive().default(usualLimits.mostWaiting),
  /** The tuned model that answers `POST /v1/moderations` for its project where a request names none. */
  MILLRACE_MODERATION_MODEL: z.string().min(1).optional(),
  /** What customers' secrets are sealed with: 32 bytes in base 64; behind a comma, earlier keys that still open. */
  MILLRACE_SECRET_KEYS: SecretKeys.default([]),
  /** Where organizations' keys are kept, under which their content is then sealed; see `shared/encryption`. */
  MILLRACE_ENCRYPTION_KEYS: Encryption.optional(),
  /** How long an endpoint may take to answer a webhook. */
  MILLRACE_WEBHOOK_TIMEOUT_SECONDS: seconds.default(15),
  /** Lets webhooks go to plain HTTP, any port and any address, of this machine and network, too: for tests and trials. */
  MILLRACE_WEBHOOK_LOCAL: z.stringbool().default(false),
  /** What a project may use where an admin said nothing else; see `shared/limits`. */
  MILLRACE_MAX_REQUESTS_PER_MINUTE: amount.default(projectLimits.max_requests_per_1_minute),
  MILLRACE_MAX_TOKENS_PER_MINUTE: amount.default(projectLimits.max_tokens_per_1_minute),
  MILLRACE_MAX_JOBS_PER_DAY: amount.default(projectLimits.max_fine_tuning_jobs_per_1_day),
  MILLRACE_MAX_STORED_BYTES: amount.default(projectLimits.max_stored_bytes),
  /** Path of a price table; see `shared/pricing`. */
  MILLRACE_PRICES: z.string().min(1).optional(),
  /** Origins whose web pages may call, such as `https://app.example`, parted by commas; `*`: all. */
  MILLRACE_CORS_ORIGINS: Origins.prefault("*"),
  /** How long browsers are to insist on TLS; only where the service is reached by TLS alone. 0: not told. */
  MILLRACE_HSTS_SECONDS: z.coerce.number().int().min(0).default(0),
  MILLRACE_HOST: z.string().default("127.0.0.1"),
  MILLRACE_PORT: z.coerce.number().int().min(0).max(65535).default(0),
  MILLRACE_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

export interface Config {
  table: string;
  bucket: string;
  queueUrl: string;
  deadLetterQueueUrl: string;
  answerQueueUrl: string;
  lightQueueUrl: string | undefined;
  webhookQueueUrl: string | undefined;
  leaseSeconds: number;
  pollSeconds: number;
  sweepSeconds: number;
  checkpointSeconds: number;
  checkpointSteps: number;
  stopSeconds: number;
  workerQueues: readonly WorkerQueue[];
  healthFile: string | undefined;
  ecsAgentUri: string | undefined;
  metrics: "none" | "emf";
  xRayDaemon: string | undefined;
  maxAttempts: number;
  maxUploadBytes: number;
  heavyBytes: number;
  answerWaitSeconds: number;
  batchTurnSeconds: number;
  device: DeviceChoice;
  deviceThreads: number;
  deviceMemoryBytes: number;
  precision: Precision | "auto";
  adapterBytes: number;
  servingProcesses: number;
  batchWaitMilliseconds: number;
  mostWaiting: number;
  moderationModel: string | undefined;
  secretKeys: Buffer[];
  encryption: EncryptionSettings | undefined;
  webhookTimeoutSeconds: number;
  webhookLocal: boolean;
  limits: Limits;
  prices: Prices;
  corsOrigins: readonly string[];
  hstsSeconds: number;
  host: string;
  port: number;
  logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
}

/** Throws an error that names every variable at fault. */
export function parseConfig(environment: Record<string, string | undefined>): Config {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) throw new Error(`Environment: ${z.prettifyError(parsed.error)}`);
  const e = parsed.data;
  return {
    table: e.MILLRACE_TABLE,
    bucket: e.MILLRACE_BUCKET,
    queueUrl: e.MILLRACE_QUEUE_URL,
    deadLetterQueueUrl: e.MILLRACE_DEAD_LETTER_QUEUE_URL,
    answerQueueUrl: e.MILLRACE_ANSWER_QUEUE_URL ?? e.MILLRACE_QUEUE_URL,
    lightQueueUrl: e.MILLRACE_LIGHT_QUEUE_URL,
    webhookQueueUrl: e.MILLRACE_WEBHOOK_QUEUE_URL,
    leaseSeconds: e.MILLRACE_LEASE_SECONDS,
    pollSeconds: e.MILLRACE_POLL_SECONDS,
    sweepSeconds: e.MILLRACE_SWEEP_SECONDS,
    checkpointSeconds: e.MILLRACE_CHECKPOINT_SECONDS,
    checkpointSteps: e.MILLRACE_CHECKPOINT_STEPS,
    stopSeconds: e.MILLRACE_STOP_SECONDS,
    workerQueues: e.MILLRACE_WORKER_QUEUES,
    healthFile: e.MILLRACE_HEALTH_FILE,
    ecsAgentUri: e.ECS_AGENT_URI,
    metrics: e.MILLRACE_METRICS,
    xRayDaemon: e.AWS_XRAY_DAEMON_ADDRESS,
    maxAttempts: e.MILLRACE_MAX_ATTEMPTS,
    maxUploadBytes: e.MILLRACE_MAX_UPLOAD_BYTES,
    heavyBytes: e.MILLRACE_HEAVY_BYTES,
    answerWaitSeconds: e.MILLRACE_ANSWER_WAIT_SECONDS,
    batchTurnSeconds: e.MILLRACE_BATCH_TURN_SECONDS,
    device: e.MILLRACE_DEVICE,
    deviceThreads: e.MILLRACE_DEVICE_THREADS,
    deviceMemoryBytes: e.MILLRACE_DEVICE_MEMORY_BYTES,
    precision: e.MILLRACE_PRECISION,
    adapterBytes: e.MILLRACE_ADAPTER_BYTES,
    servingProcesses: e.MILLRACE_SERVING_PROCESSES,
    batchWaitMilliseconds: e.MILLRACE_BATCH_WAIT_MILLISECONDS,
    mostWaiting: e.MILLRACE_MAX_WAITING,
    moderationModel: e.MILLRACE_MODERATION_MODEL,
    secretKeys: e.MILLRACE_SECRET_KEYS,
    encryption: e.MILLRACE_ENCRYPTION_KEYS,
    webhookTimeoutSeconds: e.MILLRACE_WEBHOOK_TIMEOUT_SECONDS,
    webhookLocal: e.MILLRACE_WEBHOOK_LOCAL,
    limits: {
      max_requests_per_1_minute: e.MILLRACE_MAX_REQUESTS_PER_MINUTE,
      max_tokens_per_1_minute: e.MILLRACE_MAX_TOKENS_PER_MINUTE,
      max_fine_tuning_jobs_per_1_day: e.MILLRACE_MAX_JOBS_PER_DAY,
      max_stored_bytes: e.MILLRACE_MAX_STORED_BYTES,
    },
    prices: e.MILLRACE_PRICES === undefined ? usualPrices : readPrices(e.MILLRACE_PRICES),
    corsOrigins: e.MILLRACE_CORS_ORIGINS,
    hstsSeconds: e.MILLRACE_HSTS_SECONDS,
    host: e.MILLRACE_HOST,
    port: e.MILLRACE_PORT,
    logLevel: e.MILLRACE_LOG_LEVEL,
  };
}
