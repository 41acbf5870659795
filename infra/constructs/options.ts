/** What an operator may choose with `-c name=value` or in `cdk.json`, parsed once; everything else follows from it. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Node } from "constructs";
import { z } from "zod";
import { Environment } from "../../shared/config.ts";

const list = z
  .string()
  .transform((text) => text.split(",").map((item) => item.trim()))
  .pipe(z.array(z.string().min(1)));
const count = z.coerce.number().int().min(0);
const flag = z.stringbool({ truthy: ["true"], falsy: ["false"] }).or(z.boolean());

const root = new URL("../../", import.meta.url);
const isThere = (path: string) => existsSync(fileURLToPath(new URL(path, root)));

/** Variables that stacks, images or ECS set by what else was chosen; and one that is for a machine of one's own. */
export const decided: readonly string[] = [
  ...["MILLRACE_TABLE", "MILLRACE_BUCKET", "MILLRACE_QUEUE_URL", "MILLRACE_DEAD_LETTER_QUEUE_URL"],
  ...["MILLRACE_ANSWER_QUEUE_URL", "MILLRACE_LIGHT_QUEUE_URL", "MILLRACE_WEBHOOK_QUEUE_URL", "MILLRACE_WORKER_QUEUES"],
  ...["MILLRACE_SECRET_KEYS", "MILLRACE_ENCRYPTION_KEYS", "MILLRACE_MODERATION_MODEL", "MILLRACE_PRICES"],
  ...["MILLRACE_DEVICE", "MILLRACE_HEAVY_BYTES", "MILLRACE_STOP_SECONDS", "MILLRACE_HEALTH_FILE", "MILLRACE_METRICS"],
  ...["MILLRACE_HOST", "MILLRACE_PORT", "ECS_AGENT_URI", "AWS_XRAY_DAEMON_ADDRESS", "MILLRACE_WEBHOOK_LOCAL"],
];

/** As an object in `cdk.json`, or as its JSON on the command line. */
const variables = z
  .preprocess(
    (value) => {
      try {
        return typeof value === "string" ? JSON.parse(value) : value;
      } catch {
        return value;
      }
    },
    z.record(z.string(), z.coerce.string()),
  )
  .superRefine((given, context) => {
    for (const name of Object.keys(given)) {
      if (!(name in Environment.shape)) context.addIssue(`${name} is no variable of shared/config.ts`);
      else if (decided.includes(name)) context.addIssue(`${name} follows from other choices`);
    }
  });

const choices = {
  /** Parts deployments of one account; begins the names of their stacks. */
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/)
    .default("dev"),
  /** `container`: the same API in ECS behind a load balancer, for steady traffic. */
  edge: z.enum(["serverless", "container"]).default("serverless"),
  /** `private`: no public address anywhere; with `natGateways` 0 what it calls of AWS has endpoints. */
  network: z.enum(["public", "private"]).default("public"),
  natGateways: count.default(0),

  /** MB of the functions; a CPU comes with each 1,769 MB. Accounts without a raised quota may ask for 3,008 at most. */
  apiMemory: count.default(1024),
  inferenceMemory: count.default(3008),
  /** MiB of the model host's disk: half of it holds tuned models, the rest bases. */
  inferenceDisk: count.min(512).default(4096),
  /** Copies of the model host that are kept warm, and paid for. */
  provisionedConcurrency: count.default(0),
  /** Requests of the whole deployment: a second, and at once. */
  throttleRate: count.default(500),
  throttleBurst: count.default(1000),
  /** Requests of one address within five minutes. */
  addressLimit: count.min(10).default(3000),
  /** Without it nothing holds a single address back, and nothing is paid for it. */
  firewall: flag.default(true),
  domainName: z.string().min(1).optional(),
  /** In the region of the deployment; goes with `domainName`, and the container edge needs it. */
  certificateArn: z.string().startsWith("arn:").optional(),

  /** The first that can be had; x86 with an NVIDIA GPU. `none`: all work is done without GPUs. */
  gpuInstances: list.default(["g6.xlarge", "g5.xlarge", "g4dn.xlarge"]),
  /** GPU workers at most. */
  gpuWorkers: count.min(1).default(4),
  /** MiB of memory a GPU worker is sure of: less than the smallest of the instances has. */
  gpuMemory: count.default(12_288),
  /** CPU workers at most. */
  cpuWorkers: count.min(1).default(4),
  /** vCPU and MiB of a CPU worker, as Fargate has them. */
  cpuUnits: count.default(2048),
  cpuMemory: count.default(8192),
  /** Containers of the API at the container edge, at least and at most, and their size. */
  apiContainers: count.min(1).default(2),
  apiContainersMost: count.min(1).default(8),
  apiUnits: count.default(2048),
  apiContainerMemory: count.default(8192),

  /** A copy that was restored beside this deployment's own table, and is used in its place; see infra/README.md. */
  restoredTable: z.string().min(3).optional(),

  /** Path of a price table below `shared`, which images and functions take along; see `shared/pricing`. */
  prices: z.string().startsWith("shared/").refine(isThere, "there is no such file").optional(),
  moderationModel: z.string().optional(),
  /** Variables of `shared/config.ts` for all that runs, such as limits and origins, where nothing else decides them. */
  environment: variables.default({}),
  /** Seals each organization's content under a KMS key of its own, which KMS charges for by the month. */
  organizationKeys: flag.default(false),
  alarmEmail: z.email().optional(),
  /** US dollars a month; alarms go out at 80 % and when the forecast passes it. 0: no budget. */
  monthlyBudget: count.default(100),
} satisfies z.ZodRawShape;

const Options = z
  .object(choices)
  .refine(({ edge, certificateArn }) => edge === "serverless" || certificateArn, {
    path: ["certificateArn"],
    message: "the container edge needs one: keys do not travel over plain HTTP",
  })
  .refine(({ domainName, certificateArn }) => !domainName || certificateArn, {
    path: ["certificateArn"],
    message: "a domain needs one",
  });

export type Options = z.infer<typeof Options>;

export const optionNames = Object.keys(choices);

/** Throws an error that names every choice at fault. */
export function readOptions(node: Node): Options {
  const given = Object.fromEntries(optionNames.map((name) => [name, node.tryGetContext(name) ?? undefined]));
  const parsed = Options.safeParse(given);
  if (!parsed.success) throw new Error(`Context: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export const hasGpus = ({ gpuInstances }: Options): boolean => gpuInstances[0] !== "none";
