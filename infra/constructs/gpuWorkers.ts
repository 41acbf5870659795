/** Workers on instances with a GPU: spot instances first, and others where those are not to be had. */
import { AutoScalingGroup, OnDemandAllocationStrategy, SpotAllocationStrategy } from "aws-cdk-lib/aws-autoscaling";
import { BlockDeviceVolume, EbsDeviceVolumeType, InstanceType, LaunchTemplate, UserData } from "aws-cdk-lib/aws-ec2";
import {
  AmiHardwareType,
  AsgCapacityProvider,
  Ec2Service,
  Ec2TaskDefinition,
  EcsOptimizedImage,
  NetworkMode,
  PropagatedTagSource,
} from "aws-cdk-lib/aws-ecs";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { gpuPolicy } from "../../shared/fleet/policy.ts";
import { acknowledge } from "./acknowledge.ts";
import { measureGpus } from "./gpuMetrics.ts";
import { heedSpotNotices } from "./spotNotice.ts";
import { addWorker, type WorkersProps } from "./workerContainer.ts";
import { scaleWorkers } from "./workerScaling.ts";
import { atMost } from "./workerSizes.ts";

/** GB of an instance's disk: its image, a job's files and the bases it was tuned from. */
const diskGigabytes = 100;

export class GpuWorkers extends Construct {
  readonly services: readonly Ec2Service[];

  private readonly props: WorkersProps;

  constructor(scope: Construct, id: string, props: WorkersProps) {
    super(scope, id);
    this.props = props;
    const { options, data, queues } = props;
    const task = new Ec2TaskDefinition(this, "Task", { networkMode: NetworkMode.BRIDGE });
    addWorker(task, { ...props, gpuCount: 1, memoryReservationMiB: options.gpuMemory });
    const policy = atMost(gpuPolicy, options.gpuWorkers);
    const spot = this.createService("Spot", task, this.createCapacity("Spot", 0));
    const onDemand = this.createService("OnDemand", task, this.createCapacity("OnDemand", 100));
    const messages = queues.map((name) => data[name].queue);
    scaleWorkers({ spot, onDemand }, messages, policy);
    this.services = [spot, onDemand];
  }

  /** `onDemand`: percent of the instances that are no spot instances. */
  private createCapacity(name: string, onDemand: 0 | 100): AsgCapacityProvider {
    const { cluster, network, options } = this.props;
    const group = new AutoScalingGroup(this, `${name}Group`, {
      vpc: network.vpc,
      vpcSubnets: network.subnets,
      minCapacity: 0,
      maxCapacity: options.gpuWorkers,
      mixedInstancesPolicy: {
        launchTemplate: this.createTemplate(name, onDemand),
        launchTemplateOverrides: options.gpuInstances.map((type) => ({ instanceType: new InstanceType(type) })),
        instancesDistribution: {
          onDemandBaseCapacity: 0,
          onDemandPercentageAboveBaseCapacity: onDemand,
          onDemandAllocationStrategy: OnDemandAllocationStrategy.PRIORITIZED,
          spotAllocationStrategy: SpotAllocationStrategy.CAPACITY_OPTIMIZED_PRIORITIZED,
        },
      },
    });
    acknowledge(group, {
      AS3: "Instances come and go with every job; what matters of it are the alarms on queues.",
      EC26: "The rule cannot read the launch template's block devices: they are encrypted, see below.",
    });
    const provider = new AsgCapacityProvider(this, `${name}Capacity`, {
      autoScalingGroup: group,
      enableManagedScaling: true,
      enableManagedTerminationProtection: true,
      enableManagedDraining: true,
      targetCapacityPercent: 100,
    });
    cluster.addAsgCapacityProvider(provider);
    return provider;
  }

  private createTemplate(name: string, onDemand: 0 | 100): LaunchTemplate {
    const { network, securityGroup, options } = this.props;
    const role = new Role(this, `${name}Role`, { assumedBy: new ServicePrincipal("ec2.amazonaws.com") });
    acknowledge(role, {
      "IAM5[Resource::*]":
        "ECS's agent looks for its cluster, logs in to ECR and writes metrics under no resource's name.",
      "IAM5[Action::ecs:Submit*]": "What ECS's agent tells the cluster of its containers; of no other cluster.",
    });
    const userData = UserData.forLinux();
    measureGpus(userData, role);
    if (onDemand === 0) heedSpotNotices(userData);
    return new LaunchTemplate(this, `${name}Template`, {
      role,
      securityGroup,
      instanceType: new InstanceType(options.gpuInstances[0]!),
      machineImage: EcsOptimizedImage.amazonLinux2023(AmiHardwareType.GPU),
      userData,
      requireImdsv2: true,
      // One hop is no further than the instance: containers have no part in its role.
      httpPutResponseHopLimit: 1,
      associatePublicIpAddress: network.isPublic,
      blockDevices: [
        {
          deviceName: "/dev/xvda",
          volume: BlockDeviceVolume.ebs(diskGigabytes, { encrypted: true, volumeType: EbsDeviceVolumeType.GP3 }),
        },
      ],
    });
  }

  /** A deployment waits for tasks at work: they are protected. */
  private createService(name: string, taskDefinition: Ec2TaskDefinition, capacity: AsgCapacityProvider): Ec2Service {
    return new Ec2Service(this, `${name}Service`, {
      cluster: this.props.cluster,
      taskDefinition,
      desiredCount: 0,
      capacityProviderStrategies: [{ capacityProvider: capacity.capacityProviderName, weight: 1 }],
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      propagateTags: PropagatedTagSource.SERVICE,
    });
  }
}
