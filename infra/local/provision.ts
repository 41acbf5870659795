/** Creates the table, bucket and queues that the CDK stacks create on AWS. Running it twice changes nothing. */
import { CreateTableCommand, ResourceInUseException, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { BucketAlreadyOwnedByYou, CreateBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { AwsClients } from "../../shared/aws.ts";
import { tableSchema } from "../../shared/stores/table.ts";
import { queueSettings } from "../queueSettings.ts";

export interface ProvisionedNames {
  table: string;
  bucket: string;
  queueUrl: string;
  answerQueueUrl: string;
  deadLetterQueueUrl: string;
}

const usualNames = { table: "millrace", bucket: "millrace-data" };

export async function provision(aws: AwsClients, { table, bucket } = usualNames): Promise<ProvisionedNames> {
  await Promise.all([createTable(aws, table), createBucket(aws, bucket)]);
  const deadLetterQueueUrl = await createQueue(aws.sqs, "millrace-jobs-dead", {});
  const deadLetterTargetArn = await arnOf(aws.sqs, deadLetterQueueUrl);
  const attributes = {
    VisibilityTimeout: String(queueSettings.visibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: queueSettings.maxReceiveCount }),
  };
  const queueUrl = await createQueue(aws.sqs, "millrace-jobs", attributes);
  const answerQueueUrl = await createQueue(aws.sqs, "millrace-answers", attributes);
  return { table, bucket, queueUrl, answerQueueUrl, deadLetterQueueUrl };
}

async function createTable(aws: AwsClients, name: string): Promise<void> {
  const { keys, workIndex, timeToLive } = tableSchema;
  const attributes = [keys.partition, keys.sort, workIndex.partition, workIndex.sort];
  const keySchema = ({ partition, sort }: { partition: string; sort: string }) => [
    { AttributeName: partition, KeyType: "HASH" as const },
    { AttributeName: sort, KeyType: "RANGE" as const },
  ];
  const created = await ignoring(
    ResourceInUseException,
    aws.dynamodb.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: attributes.map((attribute) => ({ AttributeName: attribute, AttributeType: "S" })),
        KeySchema: keySchema(keys),
        GlobalSecondaryIndexes: [
          { IndexName: workIndex.name, KeySchema: keySchema(workIndex), Projection: { ProjectionType: "ALL" } },
        ],
      }),
    ),
  );
  if (!created) return;
  await aws.dynamodb.send(
    new UpdateTimeToLiveCommand({
      TableName: name,
      TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
    }),
  );
}

async function createBucket(aws: AwsClients, name: string): Promise<void> {
  await ignoring(BucketAlreadyOwnedByYou, aws.s3.send(new CreateBucketCommand({ Bucket: name })));
}

async function createQueue(sqs: SQSClient, name: string, attributes: Record<string, string>): Promise<string> {
  return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))).QueueUrl!;
}

async function arnOf(sqs: SQSClient, url: string): Promise<string> {
  const asked = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] });
  return (await sqs.send(asked)).Attributes!.QueueArn!;
}

/** False when the expected error came. */
async function ignoring(expected: new (...args: never[]) => Error, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof expected) return false;
    throw error;
  }
}
