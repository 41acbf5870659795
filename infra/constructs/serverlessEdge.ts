/** The API as two functions behind a gateway: nothing is paid for while nobody calls. */
import { Duration } from "aws-cdk-lib";
import { Alias, type IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import type { DataStack } from "../stacks/data.ts";
import { grant, grantOrganizationKeys } from "./access.ts";
import { BundledFunction } from "./bundledFunction.ts";
import type { Edge } from "./edge.ts";
import { Gateway } from "./gateway.ts";
import type { Options } from "./options.ts";
import { functionEnvironment, sealingKeysOf } from "./productEnvironment.ts";

export class ServerlessEdge extends Construct implements Edge {
  readonly url: string;
  readonly door: string;
  readonly functions: Readonly<Record<"light" | "models", BundledFunction>>;
  private readonly gateway: Gateway;

  constructor(scope: Construct, id: string, { data, options }: { data: DataStack; options: Options }) {
    super(scope, id);
    const light = this.createLight(data, options);
    const models = this.createModels(data, options);
    this.functions = { light, models };
    this.gateway = new Gateway(this, "Gateway", {
      ...{ light: light.function, models: this.warm(models, options), options },
    });
    this.url = this.gateway.api.url;
    this.door = this.gateway.api.deploymentStage.stageArn;
  }

  requests(period: Duration) {
    return this.gateway.api.metricCount({ period, label: "requests" });
  }

  clientErrors(period: Duration) {
    return this.gateway.api.metricClientError({ period, label: "4xx" });
  }

  serverErrors(period: Duration) {
    return this.gateway.api.metricServerError({ period, label: "5xx" });
  }

  milliseconds(period: Duration, statistic: string) {
    return this.gateway.api.metricLatency({ period, statistic, label: statistic });
  }

  /** Everything but running models. */
  private createLight(data: DataStack, options: Options): BundledFunction {
    const light = new BundledFunction(this, "Light", {
      entry: "infra/functions/api.ts",
      description: "Millrace: the API, save for what runs models",
      memory: options.apiMemory,
      timeout: Duration.seconds(29),
      environment: { ...functionEnvironment(data, options), ...sealingKeysOf(data) },
    });
    grant(light.role, data, {
      reads: ["projects", "bases"],
      ...{ writes: ["projects"], tags: true },
      sends: [data.jobs.queue, data.answers.queue, data.light.queue, data.webhooks.queue],
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
  private warm(models: BundledFunction, { provisionedConcurrency }: Options): IFunction {
    if (provisionedConcurrency === 0) return models.function;
    return new Alias(this, "WarmModels", {
      aliasName: "warm",
      version: models.function.currentVersion,
      provisionedConcurrentExecutions: provisionedConcurrency,
    });
  }
}
