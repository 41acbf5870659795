/** Who does what takes longer: GPU and CPU workers, which are there while there is work. */
import { Stack, type StackProps } from "aws-cdk-lib";
import { SecurityGroup } from "aws-cdk-lib/aws-ec2";
import { Cluster, ContainerInsights } from "aws-cdk-lib/aws-ecs";
import type { Construct } from "constructs";
import type { WorkerClass } from "../../shared/fleet/classes.ts";
import { CpuWorkers } from "../constructs/cpuWorkers.ts";
import { GpuWorkers } from "../constructs/gpuWorkers.ts";
import { workerImage } from "../constructs/images.ts";
import { hasGpus, type Options } from "../constructs/options.ts";
import type { QueueName } from "../constructs/workerContainer.ts";
import type { DataStack } from "./data.ts";
import type { NetworkStack } from "./network.ts";

export interface WorkersProps extends StackProps {
  data: DataStack;
  network: NetworkStack;
  options: Options;
}

/** Which workers take which messages; without GPUs all are the CPU's. */
export function workOf(options: Options): Record<WorkerClass, readonly QueueName[]> {
  return hasGpus(options)
    ? { gpu: ["jobs", "answers"], cpu: ["light"] }
    : { gpu: [], cpu: ["jobs", "answers", "light"] };
}

export class WorkersStack extends Stack {
  readonly cluster: Cluster;
  readonly workers: readonly (GpuWorkers | CpuWorkers)[];

  constructor(scope: Construct, id: string, { data, network, options, ...props }: WorkersProps) {
    super(scope, id, props);
    const { vpc } = network;
    this.cluster = new Cluster(this, "Cluster", {
      vpc,
      enableFargateCapacityProviders: true,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    const description = "Millrace workers: they call, and nobody calls them";
    const securityGroup = new SecurityGroup(this, "Workers", { vpc, description });
    const shared = { cluster: this.cluster, data, network, options, securityGroup };
    const { gpu, cpu } = workOf(options);
    this.workers = [
      ...(gpu.length
        ? [new GpuWorkers(this, "Gpu", { ...shared, queues: gpu, image: workerImage(this, "GpuImage", "cuda") })]
        : []),
      new CpuWorkers(this, "Cpu", { ...shared, queues: cpu, image: workerImage(this, "CpuImage", "cpu") }),
    ];
  }
}
