/** The container of a worker, the same on GPU instances and Fargate: read-only, as nobody, with the time to put work down. */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import type { SecurityGroup } from "aws-cdk-lib/aws-ec2";
import {
  AwsLogDriverMode,
  type Cluster,
  type ContainerImage,
  Secret as ContainerSecret,
  LinuxParameters,
  LogDrivers,
  type TaskDefinition,
} from "aws-cdk-lib/aws-ecs";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { DataStack } from "../stacks/data.ts";
import type { NetworkStack } from "../stacks/network.ts";
import { grant, grantOrganizationKeys } from "./access.ts";
import { acknowledge } from "./acknowledge.ts";
import type { Options } from "./options.ts";
import { productEnvironment } from "./productEnvironment.ts";
import { addTraceDaemon, daemonAddress } from "./traceDaemon.ts";

export type QueueName = "jobs" | "answers" | "light";

/** Spot instances are taken back two minutes after the notice, and Fargate waits no longer than that either. */
const stopSeconds = 120;
/** What is left for the rest of a container's end. */
const reserveSeconds = 10;

export interface WorkerContainer {
  image: ContainerImage;
  cluster: Cluster;
  data: DataStack;
  options: Options;
  /** What it works on. */
  queues: readonly QueueName[];
  gpuCount?: number;
  memoryReservationMiB?: number;
}

/** Services of one class of workers, wherever their tasks run. */
export interface WorkersProps extends Omit<WorkerContainer, "gpuCount" | "memoryReservationMiB"> {
  network: NetworkStack;
  securityGroup: SecurityGroup;
}

export function addWorker(task: TaskDefinition, worker: WorkerContainer): void {
  const { data, options, queues, image, gpuCount, memoryReservationMiB } = worker;
  const logGroup = new LogGroup(task, "Log", {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const logging = LogDrivers.awsLogs({ streamPrefix: "worker", logGroup, mode: AwsLogDriverMode.NON_BLOCKING });
  task.addVolume({ name: "scratch" });
  const container = task.addContainer("worker", {
    image,
    ...(gpuCount && { gpuCount }),
    ...(memoryReservationMiB && { memoryReservationMiB }),
    readonlyRootFilesystem: true,
    linuxParameters: new LinuxParameters(task, "Linux", { initProcessEnabled: true }),
    stopTimeout: Duration.seconds(stopSeconds),
    // ECS does not heed the image's own.
    healthCheck: {
      command: ["CMD", "node", "workers/health.ts"],
      interval: Duration.seconds(30),
      timeout: Duration.seconds(30),
      startPeriod: Duration.seconds(60),
      retries: 3,
    },
    logging,
    environment: {
      ...productEnvironment(data, options),
      MILLRACE_WORKER_QUEUES: queues.join(","),
      MILLRACE_STOP_SECONDS: String(stopSeconds - reserveSeconds),
      MILLRACE_DEVICE: gpuCount ? "cuda" : "cpu",
      AWS_XRAY_DAEMON_ADDRESS: daemonAddress(task),
    },
    secrets: { MILLRACE_SECRET_KEYS: sealingKeys(task, data) },
  });
  container.addMountPoints({ sourceVolume: "scratch", containerPath: "/tmp", readOnly: false });
  addTraceDaemon(task, container, logging);
  allowWork(task, worker);
  acknowledge(task.obtainExecutionRole(), {
    "IAM5[Resource::*]": "ECR gives out tokens under no resource's name; images and logs are named.",
  });
  acknowledge(task, {
    ECS2: "What is secret comes from Secrets Manager; the rest are names, and change with the stack.",
  });
}

/** By its ARN alone, so that the secret's own stack need not know who reads it. */
export function sealingKeys(task: TaskDefinition, { sealingKeys: { secretArn }, key }: DataStack): ContainerSecret {
  const secret = Secret.fromSecretAttributes(task, "SealingKeys", { secretCompleteArn: secretArn });
  task
    .obtainExecutionRole()
    .addToPrincipalPolicy(new PolicyStatement({ actions: ["kms:Decrypt"], resources: [key.keyArn] }));
  return ContainerSecret.fromSecretsManager(secret);
}

function allowWork(task: TaskDefinition, { cluster, data, options, queues }: WorkerContainer): void {
  grant(task.taskRole, data, {
    reads: ["projects", "bases"],
    ...{ writes: ["projects"], tags: true },
    sweeps: true,
    receives: queues.map((name) => data[name].queue),
    sends: [data.jobs.queue, data.answers.queue, data.light.queue, data.webhooks.queue, data.jobs.dead],
  });
  if (options.organizationKeys) grantOrganizationKeys(task.taskRole, options.stage, "all");
  const { partition, region, account } = Stack.of(task);
  const { Ref: clusterName } = Stack.of(task).resolve(cluster.clusterName) as { Ref: string };
  acknowledge(task.taskRole, {
    [`IAM5[Resource::arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<${clusterName}>/*]`]:
      "A task protects itself, and has no name before it runs; the cluster is Millrace's own.",
  });
  const tasks = `arn:${partition}:ecs:${region}:${account}:task/${cluster.clusterName}/*`;
  task.taskRole.addToPrincipalPolicy(
    new PolicyStatement({ actions: ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], resources: [tasks] }),
  );
}
