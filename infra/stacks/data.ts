/** What outlives every deployment: the table, the buckets, the queues, keys and secrets. */
import { RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import {
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  Table,
  TableEncryption,
} from "aws-cdk-lib/aws-dynamodb";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import { tableSchema } from "../../shared/stores/table.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { acceptLoadBalancerLogs, createDataBucket, createLogBucket } from "../constructs/buckets.ts";
import { JobQueue } from "../constructs/jobQueue.ts";
import type { Options } from "../constructs/options.ts";

/** Longer than a lane's turn: a lease, and an attempt that began at its end. */
export const webhookSeconds = 60;

const text = (name: string) => ({ name, type: AttributeType.STRING });

export class DataStack extends Stack {
  readonly key: Key;
  /** This deployment's own, which stays in any case, or the one that was restored in its place. */
  readonly table: ITable;
  readonly bucket: Bucket;
  readonly logs: Bucket;
  /** Trainings and whatever else may take hours. */
  readonly jobs: JobQueue;
  /** What somebody waits for. */
  readonly answers: JobQueue;
  /** What needs no GPU: small trainings, datasets, the turns of policies and experiments. */
  readonly light: JobQueue;
  readonly webhooks: JobQueue;
  /** What customers' secrets are sealed with, see MILLRACE_SECRET_KEYS. */
  readonly sealingKeys: Secret;
  /** The first API key and admin key, written there when the deployment begins. */
  readonly firstKeys: Secret;

  constructor(scope: Construct, id: string, { options, ...props }: StackProps & { options: Options }) {
    super(scope, id, { ...props, terminationProtection: true });
    this.key = new Key(this, "Key", {
      description: "Millrace: table, bucket and secrets",
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const own = this.createTable();
    const { restoredTable } = options;
    this.table = restoredTable ? Table.fromTableName(this, "RestoredTable", restoredTable) : own;
    this.logs = createLogBucket(this, "Logs");
    if (options.edge === "container") acceptLoadBalancerLogs(this.logs);
    this.bucket = createDataBucket(this, "Data", this);
    this.jobs = new JobQueue(this, "Jobs");
    this.answers = new JobQueue(this, "Answers");
    this.light = new JobQueue(this, "Light");
    this.webhooks = new JobQueue(this, "Webhooks", { visibilitySeconds: 6 * webhookSeconds });
    this.sealingKeys = this.createSealingKeys();
    this.firstKeys = this.createFirstKeys();
  }

  private createTable(): Table {
    const { keys, workIndex, timeToLive } = tableSchema;
    const table = new Table(this, "Table", {
      partitionKey: text(keys.partition),
      sortKey: text(keys.sort),
      timeToLiveAttribute: timeToLive,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    table.addGlobalSecondaryIndex({
      indexName: workIndex.name,
      partitionKey: text(workIndex.partition),
      sortKey: text(workIndex.sort),
      projectionType: ProjectionType.ALL,
    });
    return table;
  }

  /** 43 letters and digits are 32 bytes in base 64. */
  private createSealingKeys(): Secret {
    const secret = new Secret(this, "SealingKeys", {
      description: "Millrace: what customers' webhook secrets are sealed with; the first of several seals, all open",
      encryptionKey: this.key,
      generateSecretString: { passwordLength: 43, excludePunctuation: true, requireEachIncludedType: false },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(secret, {
      SMG4: "Sealed rows must still open: keys are rotated by hand, new before old, see infra/README.md.",
    });
    return secret;
  }

  private createFirstKeys(): Secret {
    const secret = new Secret(this, "FirstKeys", {
      description: "Millrace: the first API key and admin key, for whoever deployed it",
      encryptionKey: this.key,
      generateSecretString: { secretStringTemplate: "{}", generateStringKey: "unused" },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(secret, { SMG4: "API keys are rotated through the API itself, with an overlap that clients need." });
    return secret;
  }
}
