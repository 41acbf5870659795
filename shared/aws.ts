/** The three AWS clients. Endpoints, region and credentials come from the SDK's own environment variables. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

export interface AwsClients {
  s3: S3Client;
  sqs: SQSClient;
  dynamodb: DynamoDBDocumentClient;
}

/**
 * Numbers beyond 2^53 are kept as exactly as JSON had them; the table itself says which are beyond it. An object with a field
 * `constructor`, as rows about races have, is taken for an instance of something.
 */
const translation = {
  marshallOptions: { removeUndefinedValues: true, allowImpreciseNumbers: true, convertClassInstanceToMap: true },
  unmarshallOptions: { wrapNumbers: Number },
};

/** How often a call is sent before its failure counts: every write may be sent again. */
const tries = { retryMode: "standard", maxAttempts: 6 } as const;
const connectionTimeout = 2000;

/**
 * A line that hangs is given up: DynamoDB answers within milliseconds; a receive waits 20 seconds for a message; of S3's
 * objects none may take longer between two bytes.
 */
export function createAwsClients(): AwsClients {
  const answered = (requestTimeout: number) => ({ connectionTimeout, requestTimeout, throwOnRequestTimeout: true });
  const dynamodb = new DynamoDBClient({ ...tries, requestHandler: answered(5000) });
  return {
    s3: new S3Client({ ...tries, requestHandler: { connectionTimeout, socketTimeout: 15_000 } }),
    sqs: new SQSClient({ ...tries, requestHandler: answered(30_000) }),
    dynamodb: DynamoDBDocumentClient.from(dynamodb, translation),
  };
}
