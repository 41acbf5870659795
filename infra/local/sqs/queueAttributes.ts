/** The attributes a queue can be given, with their defaults and bounds as AWS documents them. */
import { invalidValue, sqsError } from "./errors.ts";

export type QueueAttributes = Record<string, string>;
export type RedrivePolicy = { deadLetterTargetArn: string; maxReceiveCount: number };

type Rule = { default?: string; test: (value: string) => boolean };

function within(minimum: number, maximum: number): (value: string) => boolean {
  return (value) => /^\d+$/.test(value) && Number(value) >= minimum && Number(value) <= maximum;
}

const rules: Record<string, Rule> = {
  VisibilityTimeout: { default: "30", test: within(0, 43_200) },
  DelaySeconds: { default: "0", test: within(0, 900) },
  ReceiveMessageWaitTimeSeconds: { default: "0", test: within(0, 20) },
  MessageRetentionPeriod: { default: "345600", test: within(60, 1_209_600) },
  MaximumMessageSize: { default: "1048576", test: within(1024, 1_048_576) },
  RedrivePolicy: { test: (value) => value === "" || parseRedrivePolicy(value) !== undefined },
  FifoQueue: { test: (value) => value === "true" },
  ContentBasedDeduplication: { test: (value) => value === "true" || value === "false" },
};

const defaults: QueueAttributes = Object.fromEntries(
  Object.entries(rules).flatMap(([name, rule]) => (rule.default === undefined ? [] : [[name, rule.default]])),
);

export function parseRedrivePolicy(text: string | undefined): RedrivePolicy | undefined {
  if (!text) return undefined;
  let policy: Partial<Record<keyof RedrivePolicy, unknown>>;
  try {
    policy = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { deadLetterTargetArn, maxReceiveCount } = policy;
  const valid = typeof deadLetterTargetArn === "string" && within(1, 1000)(String(maxReceiveCount));
  return valid ? { deadLetterTargetArn, maxReceiveCount: Number(maxReceiveCount) } : undefined;
}

/** Throws InvalidAttributeName, also for those real SQS has and this one lacks, or InvalidAttributeValue. */
export function checkQueueAttributes(given: QueueAttributes): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = rules[name];
    if (!rule) throw sqsError("InvalidAttributeName", `Unknown or locally unsupported Attribute ${name}.`);
    if (!rule.test(value)) throw sqsError("InvalidAttributeValue", `Invalid value for the parameter ${name}.`);
  }
}

/** Lays given attributes over current ones; an empty RedrivePolicy removes the policy. */
export function mergeQueueAttributes(given: QueueAttributes, current: QueueAttributes = defaults): QueueAttributes {
  const { RedrivePolicy, ...merged } = { ...current, ...given };
  return RedrivePolicy ? { ...merged, RedrivePolicy } : merged;
}

/** Throws InvalidParameterValue: a queue is FIFO by its name and its attribute, or by neither. */
export function checkQueueName(name: string, attributes: QueueAttributes): void {
  const fifo = attributes.FifoQueue === "true";
  if (!(fifo ? /^[\w-]{1,75}\.fifo$/ : /^[\w-]{1,80}$/).test(name)) {
    throw invalidValue(
      "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length; a FIFO queue's name ends with .fifo.",
    );
  }
}
