/** The way in, and what runs beside it on a schedule and at a deployment. */
import { CfnOutput, Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { InvocationType, Trigger } from "aws-cdk-lib/triggers";
import type { Construct } from "constructs";
import { grant, grantOrganizationKeys } from "../constructs/access.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { BundledFunction } from "../constructs/bundledFunction.ts";
import { ContainerEdge } from "../constructs/containerEdge.ts";
import type { Edge } from "../constructs/edge.ts";
import { Firewall } from "../constructs/firewall.ts";
import type { Options } from "../constructs/options.ts";
import { functionEnvironment, sealingKeysOf } from "../constructs/productEnvironment.ts";
import { ServerlessEdge } from "../constructs/serverlessEdge.ts";
import { type DataStack, webhookSeconds } from "./data.ts";
import type { NetworkStack } from "./network.ts";

export interface ApiProps extends StackProps {
  data: DataStack;
  network: NetworkStack;
  options: Options;
}

export class ApiStack extends Stack {
  readonly edge: Edge;
  readonly sweep: BundledFunction;
  readonly webhooks: BundledFunction;

  constructor(scope: Construct, id: string, { data, network, options, ...props }: ApiProps) {
    super(scope, id, props);
    const isServerless = options.edge === "serverless";
    const edge = isServerless
      ? new ServerlessEdge(this, "Edge", { data, options })
      : new ContainerEdge(this, "Edge", { data, network, options });
    this.edge = edge;
    if (options.firewall) new Firewall(this, "Firewall", options).guard("Edge", edge.door);
    else acknowledge(edge, { APIG3: "The operator chose to go without: it is paid for by the month." });
    this.sweep = this.createSweep(data, options);
    this.webhooks = this.createWebhooks(data, options);
    this.createBegin(data, options);
    new CfnOutput(this, "BaseUrl", { value: `${edge.url}v1`, description: "baseURL of clients" });
    new CfnOutput(this, "FirstKeys", { value: data.firstKeys.secretArn, description: "Secret with the first keys" });
  }

  private createSweep(data: DataStack, options: Options): BundledFunction {
    const sweep = new BundledFunction(this, "Sweep", {
      entry: "infra/functions/sweep.ts",
      description: "Millrace: sends what wants a worker and has no message",
      memory: 512,
      timeout: Duration.seconds(55),
      environment: functionEnvironment(data, options),
    });
    const queues = [data.jobs.queue, data.answers.queue, data.light.queue];
    grant(sweep.role, data, {
      ...{ reads: ["projects"], writes: ["projects"], sweeps: true },
      ...{ sends: [...queues, data.webhooks.queue], measures: queues },
    });
    if (options.organizationKeys) grantOrganizationKeys(sweep.role, options.stage, "all");
    new Rule(this, "EveryMinute", {
      schedule: Schedule.rate(Duration.minutes(1)),
      // The next minute's sweep does what this one did not.
      targets: [new LambdaFunction(sweep.function, { retryAttempts: 0 })],
    });
    return sweep;
  }

  /** Outside of the network, however closed that is, and there at once where a worker would have to be started. */
  private createWebhooks(data: DataStack, options: Options): BundledFunction {
    const { queue } = data.webhooks;
    const webhooks = new BundledFunction(this, "Webhooks", {
      entry: "infra/functions/webhooks.ts",
      description: "Millrace: tells customers' endpoints what happened",
      memory: 512,
      timeout: Duration.seconds(webhookSeconds),
      environment: { ...functionEnvironment(data, options), ...sealingKeysOf(data) },
    });
    grant(webhooks.role, data, { sends: [queue], secrets: [data.sealingKeys] });
    if (options.organizationKeys) grantOrganizationKeys(webhooks.role, options.stage, "use");
    webhooks.function.addEventSource(
      new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 20 }),
    );
    return webhooks;
  }

  /** A deployment fails where its beginning does. */
  private createBegin(data: DataStack, options: Options): void {
    const begin = new BundledFunction(this, "Begin", {
      entry: "infra/functions/begin.ts",
      description: "Millrace: the bases that come with it, and the first keys",
      memory: 1024,
      timeout: Duration.minutes(10),
      environment: {
        ...functionEnvironment(data, options),
        STAGE: options.stage,
        FIRST_KEYS_SECRET: data.firstKeys.secretArn,
      },
      alongside: ["shared/models"],
    });
    grant(begin.role, data, {
      reads: ["bases"],
      writes: ["bases"],
      secrets: [data.firstKeys],
      keeps: [data.firstKeys],
    });
    new Trigger(this, "Beginning", {
      ...{ handler: begin.function, invocationType: InvocationType.REQUEST_RESPONSE, timeout: Duration.minutes(10) },
      executeAfter: [begin],
    });
  }
}
