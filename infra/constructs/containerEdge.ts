/** The API in containers behind a load balancer, for traffic that never rests: the same program, with its own model host. */
import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import {
  AwsLogDriverMode,
  Cluster,
  ContainerInsights,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  PropagatedTagSource,
} from "aws-cdk-lib/aws-ecs";
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  type ApplicationTargetGroup,
  HttpCodeElb,
  HttpCodeTarget,
  SslPolicy,
} from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { DataStack } from "../stacks/data.ts";
import type { NetworkStack } from "../stacks/network.ts";
import { grant, grantOrganizationKeys } from "./access.ts";
import { acknowledge } from "./acknowledge.ts";
import { balancerLogs } from "./buckets.ts";
import type { Edge } from "./edge.ts";
import { apiImage } from "./images.ts";
import type { Options } from "./options.ts";
import { productEnvironment } from "./productEnvironment.ts";
import { sealingKeys } from "./workerContainer.ts";

export interface ContainerEdgeProps {
  data: DataStack;
  network: NetworkStack;
  options: Options;
}

/** As `api/Dockerfile` has it. */
const port = 8080;
/** Fargate waits no longer; the rest of an end takes a little. */
const [stopSeconds, reserveSeconds] = [120, 10];

export class ContainerEdge extends Construct implements Edge {
  readonly url: string;
  readonly door: string;
  readonly functions = {};
  private readonly balancer: ApplicationLoadBalancer;
  private readonly targets: ApplicationTargetGroup;

  constructor(scope: Construct, id: string, props: ContainerEdgeProps) {
    super(scope, id);
    const { data, network, options } = props;
    this.balancer = this.createBalancer(props);
    const service = this.createService(this.createTask(data, options), network, options);
    const listener = this.balancer.addListener("Https", {
      port: 443,
      certificates: [Certificate.fromCertificateArn(this, "Certificate", options.certificateArn!)],
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
    });
    this.targets = listener.addTargets("Api", {
      ...{ port, protocol: ApplicationProtocol.HTTP, targets: [service] },
      deregistrationDelay: Duration.seconds(60),
      healthCheck: { path: "/healthz", interval: Duration.seconds(15) },
    });
    this.url = `https://${options.domainName ?? this.balancer.loadBalancerDnsName}/`;
    this.door = this.balancer.loadBalancerArn;
  }

  requests(period: Duration) {
    return this.balancer.metrics.requestCount({ period, label: "requests" });
  }

  clientErrors(period: Duration) {
    return this.targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_4XX_COUNT, { period, label: "4xx" });
  }

  /** The API's own, and those of a balancer that finds nobody to ask. */
  serverErrors(period: Duration) {
    const api = this.targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { period });
    const balancer = this.balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, { period });
    const usingMetrics = { api, balancer };
    return new MathExpression({ expression: "FILL(api, 0) + FILL(balancer, 0)", usingMetrics, period, label: "5xx" });
  }

  milliseconds(period: Duration, statistic: string) {
    const seconds = this.targets.metrics.targetResponseTime({ period, statistic });
    const usingMetrics = { [statistic]: seconds };
    return new MathExpression({ expression: `${statistic} * 1000`, usingMetrics, period, label: statistic });
  }

  private createBalancer({ data, network }: ContainerEdgeProps): ApplicationLoadBalancer {
    const balancer = new ApplicationLoadBalancer(this, "Balancer", {
      vpc: network.vpc,
      internetFacing: true,
      dropInvalidHeaderFields: true,
      // Between two events of a streamed answer; the API keeps connections for longer.
      idleTimeout: Duration.minutes(5),
    });
    const logs = { enabled: "true", bucket: data.logs.bucketName, prefix: balancerLogs };
    for (const [name, value] of Object.entries(logs)) balancer.setAttribute(`access_logs.s3.${name}`, value);
    acknowledge(balancer, { EC23: "It is the way in, by HTTPS alone." });
    return balancer;
  }

  private createTask(data: DataStack, options: Options): FargateTaskDefinition {
    const { apiUnits: cpu, apiContainerMemory: memoryLimitMiB } = options;
    const task = new FargateTaskDefinition(this, "Task", { cpu, memoryLimitMiB, ephemeralStorageGiB: 50 });
    const logGroup = new LogGroup(this, "Log", {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    task.addVolume({ name: "scratch" });
    const container = task.addContainer("api", {
      image: apiImage(this, "Image"),
      portMappings: [{ containerPort: port }],
      readonlyRootFilesystem: true,
      linuxParameters: new LinuxParameters(this, "Linux", { initProcessEnabled: true }),
      stopTimeout: Duration.seconds(stopSeconds),
      logging: LogDrivers.awsLogs({ streamPrefix: "api", logGroup, mode: AwsLogDriverMode.NON_BLOCKING }),
      environment: {
        ...productEnvironment(data, options),
        MILLRACE_DEVICE: "cpu",
        MILLRACE_STOP_SECONDS: String(stopSeconds - reserveSeconds),
      },
      secrets: { MILLRACE_SECRET_KEYS: sealingKeys(task, data) },
    });
    container.addMountPoints({ sourceVolume: "scratch", containerPath: "/tmp", readOnly: false });
    grant(task.taskRole, data, {
      ...{ reads: ["projects", "bases"], writes: ["projects"], tags: true },
      sends: [data.jobs.queue, data.answers.queue, data.light.queue, data.webhooks.queue],
    });
    if (options.organizationKeys) grantOrganizationKeys(task.taskRole, options.stage, "all");
    acknowledge(task, {
      ECS2: "What is secret comes from Secrets Manager; the rest are names, and change with the stack.",
    });
    acknowledge(task.obtainExecutionRole(), {
      "IAM5[Resource::*]": "ECR gives out tokens under no resource's name; images and logs are named.",
    });
    return task;
  }

  private createService(
    taskDefinition: FargateTaskDefinition,
    network: NetworkStack,
    options: Options,
  ): FargateService {
    const containerInsightsV2 = ContainerInsights.ENABLED;
    const service = new FargateService(this, "Service", {
      cluster: new Cluster(this, "Cluster", { vpc: network.vpc, containerInsightsV2 }),
      taskDefinition,
      desiredCount: options.apiContainers,
      vpcSubnets: network.subnets,
      assignPublicIp: network.isPublic,
      minHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      propagateTags: PropagatedTagSource.SERVICE,
    });
    const maxCapacity = Math.max(options.apiContainers, options.apiContainersMost);
    const scaling = service.autoScaleTaskCount({ minCapacity: options.apiContainers, maxCapacity });
    scaling.scaleOnCpuUtilization("Cpu", { targetUtilizationPercent: 60, scaleInCooldown: Duration.minutes(5) });
    return service;
  }
}
