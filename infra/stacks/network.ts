/** Where containers run: no NAT, and nothing that can be called from outside. */
import { Stack, type StackProps } from "aws-cdk-lib";
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService as gateways,
  InterfaceVpcEndpointAwsService as interfaces,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { acknowledge } from "../constructs/acknowledge.ts";
import type { Options } from "../constructs/options.ts";

/**
 * What containers without a way to the internet call, S3 and DynamoDB apart; each is paid for by the hour and zone. Webhooks are
 * sent from outside, and images come from the account's own registry.
 */
const called = {
  Sqs: interfaces.SQS,
  Kms: interfaces.KMS,
  Secrets: interfaces.SECRETS_MANAGER,
  Logs: interfaces.CLOUDWATCH_LOGS,
  Metrics: interfaces.CLOUDWATCH_MONITORING,
  Xray: interfaces.XRAY,
  EcrApi: interfaces.ECR,
  EcrDocker: interfaces.ECR_DOCKER,
  Ecs: interfaces.ECS,
  EcsAgent: interfaces.ECS_AGENT,
  EcsTelemetry: interfaces.ECS_TELEMETRY,
};

export class NetworkStack extends Stack {
  readonly vpc: Vpc;
  /** Of the workers. */
  readonly subnets: SubnetSelection;
  readonly isPublic: boolean;

  constructor(scope: Construct, id: string, { options, ...props }: StackProps & { options: Options }) {
    super(scope, id, props);
    const { network, natGateways } = options;
    this.isPublic = network === "public";
    const isolated = natGateways ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED;
    const subnetType = this.isPublic ? SubnetType.PUBLIC : isolated;
    this.subnets = { subnetType };
    this.vpc = new Vpc(this, "Vpc", {
      maxAzs: 2,
      natGateways: this.isPublic ? 0 : natGateways,
      subnetConfiguration: [
        { name: "public", subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: this.isPublic },
        ...(this.isPublic ? [] : [{ name: "workers", subnetType }]),
      ],
      gatewayEndpoints: { S3: { service: gateways.S3 }, Table: { service: gateways.DYNAMODB } },
      restrictDefaultSecurityGroup: false,
    });
    if (!this.isPublic && natGateways === 0) this.openEndpoints();
    const logGroup = new LogGroup(this, "FlowLog", { retention: RetentionDays.ONE_MONTH });
    this.vpc.addFlowLog("Flow", {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.REJECT,
    });
  }

  private openEndpoints(): void {
    for (const [id, service] of Object.entries(called)) {
      const endpoint = this.vpc.addInterfaceEndpoint(id, { service, subnets: this.subnets, privateDnsEnabled: true });
      acknowledge(endpoint, { EC23: "Open to addresses of this network alone, which the rule cannot read." });
    }
  }
}
