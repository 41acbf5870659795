/** The REST API: paths that run models go to the function that has the model host, and stream; all others to the light one. */
import { Duration } from "aws-cdk-lib";
import {
  AccessLogFormat,
  EndpointType,
  type Integration,
  type IResource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
  SecurityPolicy,
} from "aws-cdk-lib/aws-apigateway";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { modelRoutes } from "../../api/modelRoutes.ts";
import { acknowledge } from "./acknowledge.ts";
import { speakAsTheApi } from "./gatewayErrors.ts";
import type { Options } from "./options.ts";

/** No header, query or body: a key travels in the first, and texts in the others. */
const accessLog = {
  request_id: "$context.requestId",
  trace_id: "$context.xrayTraceId",
  time: "$context.requestTimeEpoch",
  address: "$context.identity.sourceIp",
  method: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  bytes: "$context.responseLength",
  milliseconds: "$context.responseLatency",
  integration_milliseconds: "$context.integrationLatency",
  integration_error: "$context.integration.error",
};

/** As long as a function lives; what makes no byte for five minutes is cut off all the same. */
const streamFor = Duration.minutes(15);

export interface GatewayProps {
  light: LambdaFunction;
  /** Function or alias that has the model host. */
  models: ConstructorParameters<typeof LambdaIntegration>[0];
  options: Options;
}

export class Gateway extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, id: string, { light, models, options }: GatewayProps) {
    super(scope, id);
    this.api = this.createApi(options);
    const integrations = {
      light: new LambdaIntegration(light, { scopePermissionToMethod: false }),
      models: new LambdaIntegration(models, {
        scopePermissionToMethod: false,
        responseTransferMode: ResponseTransferMode.STREAM,
        timeout: streamFor,
      }),
    };
    addRoutes(this.api.root, integrations);
    speakAsTheApi(this.api);
    this.acknowledge();
  }

  private createApi({ stage, throttleRate, throttleBurst, domainName, certificateArn }: Options): RestApi {
    const accessLogs = new LogGroup(this, "AccessLog", { retention: RetentionDays.THREE_MONTHS });
    return new RestApi(this, "Api", {
      restApiName: `millrace-${stage}`,
      endpointTypes: [EndpointType.REGIONAL],
      // Whatever comes reaches the functions byte by byte, in base 64; files are as welcome as texts.
      binaryMediaTypes: ["*/*"],
      cloudWatchRole: true,
      disableExecuteApiEndpoint: domainName !== undefined,
      ...(domainName && {
        domainName: {
          domainName,
          certificate: Certificate.fromCertificateArn(this, "Certificate", certificateArn!),
          securityPolicy: SecurityPolicy.TLS_1_2,
        },
      }),
      deployOptions: {
        stageName: "api",
        tracingEnabled: true,
        metricsEnabled: true,
        throttlingRateLimit: throttleRate,
        throttlingBurstLimit: throttleBurst,
        loggingLevel: MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        accessLogDestination: new LogGroupLogDestination(accessLogs),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLog)),
      },
    });
  }

  private acknowledge(): void {
    acknowledge(this.api, {
      APIG2: "Millrace itself checks every request against its contract, and names the field at fault.",
      APIG4: "Keys of the API are checked by Millrace, which alone knows their hashes, scopes and projects.",
      COG4: "Clients are programs with API keys, not people in a user pool.",
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]":
        "The role that API Gateway asks an account for, once, and the policy made for it.",
    });
  }
}

type Integrations = Record<"light" | "models", Integration>;

/** One variable to a level is all that the gateway allows, so a level with one has no catch-all. */
function addRoutes(root: IResource, { light, models }: Integrations): void {
  const levels = new Set<IResource>([root]);
  for (const [path, methods] of Object.entries(modelRoutes)) {
    const parts = path.slice(1).split("/");
    const resource = parts.reduce((parent: IResource, part) => {
      const child = parent.getResource(part) ?? parent.addResource(part);
      levels.add(child);
      return child;
    }, root);
    for (const method of methods) resource.addMethod(method, models);
  }
  for (const level of levels) {
    level.addMethod("ANY", light);
    const hasVariable = [...levels].some((other) => other.parentResource === level && /\/\{\w+\}$/.test(other.path));
    if (!hasVariable) level.addResource("{proxy+}").addMethod("ANY", light);
  }
}
