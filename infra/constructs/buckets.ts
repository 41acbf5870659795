/** Buckets nobody can open to the world, read over plain HTTP, or delete with a stack. */
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, HttpMethods, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { keptDays, transientTag } from "../../shared/stores/transient.ts";
import { acknowledge } from "./acknowledge.ts";

const closed = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  removalPolicy: RemovalPolicy.RETAIN,
} as const;

/** Who read and wrote what, for 90 days. S3 delivers logs only to buckets under its own keys. */
export function createLogBucket(scope: Construct, id: string): Bucket {
  const bucket = new Bucket(scope, id, {
    ...closed,
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(90), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
  });
  acknowledge(bucket, { S1: "Logs of the log bucket would be logged in it again." });
  return bucket;
}

/** What was overwritten or deleted can be had back for so long, and is then gone for good. */
const regretDays = 30;

export function createDataBucket(scope: Construct, id: string, { key, logs }: { key: Key; logs: Bucket }): Bucket {
  return new Bucket(scope, id, {
    ...closed,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    versioned: true,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: "data/",
    // A browser that follows a presigned link, to read a file or to send a part, arrives from another origin.
    cors: [
      {
        allowedMethods: [HttpMethods.GET, HttpMethods.PUT],
        exposedHeaders: ["ETag"],
        allowedOrigins: ["*"],
        allowedHeaders: ["*"],
        maxAge: 3000,
      },
    ],
    lifecycleRules: [
      ...Object.entries(keptDays).map(([kind, days]) => ({
        ...{ id: `transient-${kind}`, tagFilters: { [transientTag]: kind }, expiration: Duration.days(days) },
      })),
      { id: "unfinished-uploads", abortIncompleteMultipartUploadAfter: Duration.days(2) },
      { id: "regret", noncurrentVersionExpiration: Duration.days(regretDays), expiredObjectDeleteMarker: true },
    ],
  });
}

/** Where a load balancer's logs are delivered, in every region by the same service. */
export const balancerLogs = "balancer";

export function acceptLoadBalancerLogs(logs: Bucket): void {
  const account = Stack.of(logs).account;
  logs.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
      actions: ["s3:PutObject"],
      resources: [logs.arnForObjects(`${balancerLogs}/AWSLogs/${account}/*`)],
      conditions: { StringEquals: { "aws:SourceAccount": account } },
    }),
  );
}
