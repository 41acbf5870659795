/** What every compute of Millrace finds in its environment; `shared/config.ts` says what each is. */
import { secretPrefix } from "../functions/secrets.ts";
import type { DataStack } from "../stacks/data.ts";
import type { Options } from "./options.ts";

const megabyte = 1024 * 1024;

/** Of models a function's memory holds so much: the runtime, activations and adapters want the rest. */
const heavyShare = 1 / 3;

export function productEnvironment(data: DataStack, options: Options): Record<string, string> {
  const { table, bucket, jobs, answers, light, webhooks } = data;
  return {
    MILLRACE_TABLE: table.tableName,
    MILLRACE_BUCKET: bucket.bucketName,
    MILLRACE_QUEUE_URL: jobs.queue.queueUrl,
    MILLRACE_ANSWER_QUEUE_URL: answers.queue.queueUrl,
    MILLRACE_LIGHT_QUEUE_URL: light.queue.queueUrl,
    MILLRACE_WEBHOOK_QUEUE_URL: webhooks.queue.queueUrl,
    MILLRACE_DEAD_LETTER_QUEUE_URL: jobs.dead.queueUrl,
    MILLRACE_LOG_LEVEL: "info",
    ...options.environment,
    MILLRACE_METRICS: "emf",
    ...(options.moderationModel && { MILLRACE_MODERATION_MODEL: options.moderationModel }),
    ...(options.prices && { MILLRACE_PRICES: options.prices }),
    ...(options.organizationKeys && { MILLRACE_ENCRYPTION_KEYS: `kms:${options.stage}` }),
  };
}

/** For a function that fetches them when it starts. */
export const sealingKeysOf = ({ sealingKeys }: DataStack): Record<string, string> => ({
  [`${secretPrefix}MILLRACE_SECRET_KEYS`]: sealingKeys.secretArn,
});

/** Who answers in a function leaves to workers what does not fit into it. */
export function functionEnvironment(data: DataStack, options: Options): Record<string, string> {
  return {
    ...productEnvironment(data, options),
    MILLRACE_DEVICE: "cpu",
    MILLRACE_HEAVY_BYTES: String(Math.floor(options.inferenceMemory * megabyte * heavyShare)),
  };
}
