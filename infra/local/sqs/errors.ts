/** SQS's errors: the JSON protocol's name, and the query protocol's older one in a header, as AWS sends both. */
import { AwsJsonError } from "../awsJson.ts";

/** Where the older name is not simply the same. */
const legacyNames: Record<string, string> = {
  BatchEntryIdsNotDistinct: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
  BatchRequestTooLong: "AWS.SimpleQueueService.BatchRequestTooLong",
  EmptyBatchRequest: "AWS.SimpleQueueService.EmptyBatchRequest",
  MessageNotInflight: "AWS.SimpleQueueService.MessageNotInflight",
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  QueueNameExists: "QueueAlreadyExists",
  TooManyEntriesInBatchRequest: "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
  UnsupportedOperation: "AWS.SimpleQueueService.UnsupportedOperation",
};

/** `code` without its namespace, such as `QueueDoesNotExist`. */
export function sqsError(code: string, message: string): AwsJsonError {
  const headers = { "x-amzn-query-error": `${legacyNames[code] ?? code};Sender` };
  return new AwsJsonError(`com.amazonaws.sqs#${code}`, message, { headers });
}

export function invalidValue(message: string): AwsJsonError {
  return sqsError("InvalidParameterValue", message);
}

/** Refuses by name what real SQS can do and this server cannot. */
export function unsupported(what: string): AwsJsonError {
  return sqsError("UnsupportedOperation", `The local SQS server does not implement ${what}.`);
}
