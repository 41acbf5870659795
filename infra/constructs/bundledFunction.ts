/** A function of ours: bundled here without Docker, on Arm, with a role and a log of its own. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AssetHashType, DockerImage, type Duration, RemovalPolicy, Size } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const functions = fileURLToPath(new URL("../functions", import.meta.url));
const bundler = fileURLToPath(new URL("./bundle.ts", import.meta.url));
const platform = "linux/arm64";

export interface BundledFunctionProps {
  /** Relative to the repository. */
  entry: string;
  description: string;
  memory: number;
  timeout: Duration;
  environment: Record<string, string>;
  /** Whether models run in it. */
  runsModels?: boolean;
  /** MiB under /tmp; the first 512 cost nothing. */
  diskMiB?: number;
  /** Folders and files of the repository that come along under the same path. */
  alongside?: readonly string[];
}

export class BundledFunction extends Construct {
  readonly role: Role;
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: BundledFunctionProps) {
    super(scope, id);
    this.role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    const logGroup = new LogGroup(this, "Log", {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(this.role);
    this.function = new LambdaFunction(this, "Function", {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: bundledCode(props),
      role: this.role,
      logGroup,
      memorySize: props.memory,
      timeout: props.timeout,
      ephemeralStorageSize: Size.mebibytes(props.diskMiB ?? 512),
      tracing: Tracing.ACTIVE,
      environment: props.environment,
    });
    acknowledge(this.role, {
      "IAM5[Resource::*]": "X-Ray takes segments under no resource's name.",
    });
  }
}

/** Hashed as it comes out, so that a function is deployed again only where something in it changed. */
function bundledCode({ entry, runsModels, alongside = [], environment }: BundledFunctionProps): Code {
  const { MILLRACE_PRICES: prices } = environment;
  const command = [entry, runsModels ? platform : "", ...alongside, ...(prices ? [prices] : [])];
  // Nothing of this folder is shipped but what the bundler makes of it.
  return Code.fromAsset(functions, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry("none"),
      // What tells one function's bundle from another's.
      command,
      local: {
        tryBundle(directory) {
          const args = [bundler, entry, directory, ...command.slice(1)];
          execFileSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
          return true;
        },
      },
    },
  });
}
