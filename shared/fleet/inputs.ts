/** What a fleet costs and how long its parts take: figures with where they come from, for an operator to replace. */

import type { WorkerClass } from "./classes.ts";

export interface Input {
  readonly value: number;
  /** What it is, and where it is from. */
  readonly about: string;
  /** When the source said so, or was read; null: nobody is cited, it is an assumption of the operator's. */
  readonly date: string | null;
}

const cited = (value: number, about: string, date: string): Input => ({ value, about, date });
const assumed = (value: number, about: string): Input => ({ value, about, date: null });

/** US dollars, seconds and shares of one, as the names say; prices of us-east-1. */
export const inputs = {
  gpuDollarsPerHour: cited(1.006, "g5.xlarge on demand: factualminds.com, EC2 on-demand pricing", "2026-06-17"),
  gpuSpotShare: assumed(0.4, "spot price of it by its on-demand price"),
  fargateVcpuDollarsPerHour: cited(0.04048, "Linux x86: wring.co, Fargate pricing guide", "2026-03-10"),
  fargateGigabyteDollarsPerHour: cited(0.004445, "Linux x86: wring.co, Fargate pricing guide", "2026-03-10"),
  fargateSpotShare: cited(0.3, "saves 70 %: wring.co, Fargate pricing guide", "2026-03-10"),
  fargateVcpus: assumed(2, "of a worker for small jobs: as many cores as job times were measured on"),
  fargateGigabytes: assumed(8, "of a worker for small jobs"),
  leastBilledSeconds: cited(60, "aws.amazon.com, EC2 per-second billing; Fargate: vantage.sh", "2017-10-02"),
  launchSeconds: cited(40, "an EC2 instance boots: depot.dev, Making EC2 boot time 8x faster", "2024-05-23"),
  gpuPullSeconds: assumed(90, "its agent registers and pulls an image with CUDA"),
  fargatePullSeconds: assumed(45, "Fargate finds room for a task and pulls the image without CUDA"),
  providerSeconds: cited(
    60,
    "a capacity provider sees tasks without an instance: aws/containers-roadmap#638",
    "2019-12-09",
  ),
  idleInstanceSeconds: cited(900, "and ends instances without tasks: aws/containers-roadmap#1220", "2021-01-13"),
  metricDelaySeconds: assumed(60, "from a minute's reading of a queue to the change it makes"),
  inactiveQueueSeconds: cited(21_600, "a queue nobody calls has no metrics: Amazon SQS developer guide", "2026-11-22"),
  activationSeconds: cited(900, "it has them again after this at most: Amazon SQS developer guide", "2026-11-22"),
  spotNoticeSeconds: cited(120, "Amazon ECS developer guide, Spot Instance notices", "2026-11-22"),
  unnoticedShare: assumed(0.05, "of reclaims come without a notice in time"),
  reclaimsPerHour: assumed(0.05, "of each spot instance outside storms"),
  retrySpotSeconds: assumed(60, "until spot capacity that was not there is asked for again"),
  checkpointSeconds: assumed(3, "a worker that is told to stop stores its checkpoint and lets go"),
  resumeSeconds: assumed(5, "data and base are loaded again by the worker that goes on"),
  lambdaDollarsPerGigabyteSecond: cited(0.0000166667, "x86: cubeapm.com, Lambda cost monitoring", "2026-11-22"),
  lambdaDollarsPerMillion: cited(0.2, "requests: cubeapm.com, Lambda cost monitoring", "2026-11-22"),
  provisionedDollarsPerGigabyteSecond: cited(
    0.0000041667,
    "kept ready: 2025 list price, public calculators",
    "2026-11-22",
  ),
  provisionedRunDollarsPerGigabyteSecond: cited(
    0.0000097222,
    "at work: 2025 list price, public calculators",
    "2026-11-22",
  ),
  lambdaGigabytes: assumed(3, "of the function that answers inferences"),
  lambdaIdleSeconds: assumed(600, "an environment nobody calls is kept: AWS promises no figure"),
  lambdaSandboxSeconds: assumed(1, "a new environment before our code starts: 47 MB of runtime are fetched"),
} as const satisfies Record<string, Input>;

/** Where the tasks of one queue run. */
export interface ComputeClass {
  readonly dollarsPerHour: number;
  readonly spotDollarsPerHour: number;
  /** From a task that has no host to one that runs, the worker's own start apart. */
  readonly hostSeconds: number;
  /** A host without a task is kept for so long. */
  readonly idleHostSeconds: number;
  /** A worker process, to its first look at the queue. */
  readonly startSeconds: number;
}

/** `startSeconds` is measured, as job times are. */
export function computeClass(name: WorkerClass, startSeconds: number): ComputeClass {
  const value = (input: keyof typeof inputs) => inputs[input].value;
  if (name === "gpu") {
    const dollarsPerHour = value("gpuDollarsPerHour");
    return {
      ...{ dollarsPerHour, spotDollarsPerHour: dollarsPerHour * value("gpuSpotShare"), startSeconds },
      hostSeconds: value("providerSeconds") + value("launchSeconds") + value("gpuPullSeconds"),
      idleHostSeconds: value("idleInstanceSeconds"),
    };
  }
  const dollarsPerHour =
    value("fargateVcpus") * value("fargateVcpuDollarsPerHour") +
    value("fargateGigabytes") * value("fargateGigabyteDollarsPerHour");
  return {
    ...{ dollarsPerHour, spotDollarsPerHour: dollarsPerHour * value("fargateSpotShare"), startSeconds },
    ...{ hostSeconds: value("fargatePullSeconds"), idleHostSeconds: 0 },
  };
}
