/** Workers without a GPU, on Fargate: spot first, and others where that is not to be had. */
import { FargateService, FargateTaskDefinition, PropagatedTagSource } from "aws-cdk-lib/aws-ecs";
import { Construct } from "constructs";
import { cpuPolicy } from "../../shared/fleet/policy.ts";
import { addWorker, type WorkersProps } from "./workerContainer.ts";
import { scaleWorkers } from "./workerScaling.ts";
import { atMost } from "./workerSizes.ts";

/** GiB of a task's disk, which /tmp is a part of. */
const diskGigabytes = 50;

export class CpuWorkers extends Construct {
  readonly services: readonly FargateService[];

  private readonly props: WorkersProps;

  constructor(scope: Construct, id: string, props: WorkersProps) {
    super(scope, id);
    this.props = props;
    const { options, data, queues } = props;
    const task = new FargateTaskDefinition(this, "Task", {
      cpu: options.cpuUnits,
      memoryLimitMiB: options.cpuMemory,
      ephemeralStorageGiB: diskGigabytes,
    });
    addWorker(task, props);
    const policy = atMost(cpuPolicy, options.cpuWorkers);
    const spot = this.createService("Spot", task, "FARGATE_SPOT");
    const onDemand = this.createService("OnDemand", task, "FARGATE");
    const messages = queues.map((name) => data[name].queue);
    scaleWorkers({ spot, onDemand }, messages, policy);
    this.services = [spot, onDemand];
  }

  private createService(name: string, taskDefinition: FargateTaskDefinition, capacityProvider: string): FargateService {
    const { cluster, network, securityGroup } = this.props;
    return new FargateService(this, `${name}Service`, {
      ...{ cluster, taskDefinition, desiredCount: 0 },
      capacityProviderStrategies: [{ capacityProvider, weight: 1 }],
      vpcSubnets: network.subnets,
      securityGroups: [securityGroup],
      assignPublicIp: network.isPublic,
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      // It is the task that is paid for.
      propagateTags: PropagatedTagSource.SERVICE,
    });
  }
}
