/** The way in: the gateway with its two functions, and what runs beside them on a schedule and at a deployment. */
import { CfnOutput, Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Alias } from "aws-cdk-lib/aws-lambda";
import { InvocationType, Trigger } from "aws-cdk-lib/triggers";
import type { Construct } from "constructs";
import { grant, grantOrganizationKeys } from "../constructs/access.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { BundledFunction } from "../constructs/bundledFunction.ts";
import { Firewall } from "../constructs/firewall.ts";
import { Gateway } from "../constructs/gateway.ts";
import type { Options } from "../constructs/options.ts";
import { functionEnvironment } from "../constructs/productEnvironment.ts";
import { secretPrefix } from "../functions/secrets.ts";
import type { DataStack } from "./data.ts";

export interface ApiProps extends StackProps {
  data: DataStack;
  options: Options;
}

export class ApiStack extends Stack {
  readonly gateway: Gateway;
  readonly light: BundledFunction;
  readonly models: BundledFunction;
  readonly sweep: BundledFunction;

  constructor(scope: Construct, id: string, { data, options, ...props }: ApiProps) {
    super(scope, id, props);
    this.light = this.createLight(data, options);
    this.models = this.createModels(data, options);
    this.gateway = new Gateway(this, "Gateway", {
      ...{ light: this.light.function, models: this.warm(options), options },
    });
    if (options.firewall) {
      const firewall = new Firewall(this, "Firewall", options);
      firewall.guard("Gateway", this.gateway.api.deploymentStage.stageArn);
    } else acknowledge(this.gateway, { APIG3: "The operator chose to go without: it is paid for by the month." });
    this.sweep = this.createSweep(data, options);
    this.createBegin(data, options);
    new CfnOutput(this, "BaseUrl", { value: `${this.gateway.api.url}v1`, description: "baseURL of clients" });
  }
  /** Everything but running models. */
  private createLight(data: DataStack, options: Options): BundledFunction {
    const light = new BundledFunction(this, "Light", {
      entry: "infra/functions/api.ts",
      description: "Millrace: the API, save for what runs models",
      memory: options.apiMemory,
      timeout: Duration.seconds(29),
      environment: {
        ...functionEnvironment(data, options),
        [`${secretPrefix}MILLRACE_SECRET_KEYS`]: data.sealingKeys.secretArn,
      },
    });
    grant(light.role, data, {
      reads: ["projects", "bases"],
      writes: ["projects"],
      sends: [data.jobs.queue, data.answers.queue, data.light.queue],
      secrets: [data.sealingKeys],
    });
    if (options.organizationKeys) grantOrganizationKeys(light.role, options.stage, "all");
    return light;
  }

  private createModels(data: DataStack, options: Options): BundledFunction {
    const models = new BundledFunction(this, "Models", {
      entry: "api/inferenceLambda.ts",
      description: "Millrace: models that answer at once, streamed",
      runsModels: true,
      memory: options.inferenceMemory,
      diskMiB: options.inferenceDisk,
      timeout: Duration.minutes(15),
      environment: functionEnvironment(data, options),
    });
    grant(models.role, data, {
      reads: ["projects", "bases"],
      writes: ["inferences", "answers"],
      sends: [data.answers.queue],
    });
    if (options.organizationKeys) grantOrganizationKeys(models.role, options.stage, "use");
    return models;
  }

  /** The function itself, or an alias of it with copies that are always there. */
  private warm({ provisionedConcurrency }: Options) {
    if (provisionedConcurrency === 0) return this.models.function;
    return new Alias(this, "WarmModels", {
      aliasName: "warm",
      version: this.models.function.currentVersion,
      provisionedConcurrentExecutions: provisionedConcurrency,
    });
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
      ...{ sends: queues, measures: queues },
    });
    if (options.organizationKeys) grantOrganizationKeys(sweep.role, options.stage, "all");
    new Rule(this, "EveryMinute", {
      schedule: Schedule.rate(Duration.minutes(1)),
      // The next minute's sweep does what this one did not.
      targets: [new LambdaFunction(sweep.function, { retryAttempts: 0 })],
    });
    return sweep;
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
