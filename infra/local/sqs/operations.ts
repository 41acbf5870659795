/** Every operation this server has, with the members of its input; what the table does not name is refused. */
import { AwsJsonError, type Call } from "../awsJson.ts";
import * as batches from "./batches.ts";
import type { Broker } from "./broker.ts";
import * as deadLetters from "./deadLetters.ts";
import { unsupported } from "./errors.ts";
import * as inFlight from "./inFlight.ts";
import * as queues from "./queues.ts";
import { receiveMessage } from "./receiving.ts";
import { sendMessage } from "./sending.ts";

type Operation = { members: string[]; entryMembers?: string[]; run: (broker: Broker, call: Call) => unknown };

const message = [
  ...["MessageBody", "MessageAttributes", "MessageSystemAttributes", "DelaySeconds"],
  ...["MessageGroupId", "MessageDeduplicationId"],
];
const receiving = ["MaxNumberOfMessages", "WaitTimeSeconds", "VisibilityTimeout"];
const selecting = ["AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames"];
const batch = ["QueueUrl", "Entries"];

const operations: Record<string, Operation> = {
  CreateQueue: { members: ["QueueName", "Attributes", "tags"], run: queues.createQueue },
  GetQueueUrl: { members: ["QueueName"], run: queues.getQueueUrl },
  ListQueues: { members: ["QueueNamePrefix"], run: queues.listQueues },
  DeleteQueue: { members: ["QueueUrl"], run: queues.deleteQueue },
  PurgeQueue: { members: ["QueueUrl"], run: queues.purgeQueue },
  SetQueueAttributes: { members: ["QueueUrl", "Attributes"], run: queues.setQueueAttributes },
  GetQueueAttributes: { members: ["QueueUrl", "AttributeNames"], run: queues.getQueueAttributes },
  SendMessage: { members: ["QueueUrl", ...message], run: sendMessage },
  ReceiveMessage: { members: ["QueueUrl", ...receiving, ...selecting], run: receiveMessage },
  DeleteMessage: { members: ["QueueUrl", "ReceiptHandle"], run: inFlight.deleteMessage },
  ChangeMessageVisibility: {
    members: ["QueueUrl", "ReceiptHandle", "VisibilityTimeout"],
    run: inFlight.changeMessageVisibility,
  },
  SendMessageBatch: { members: batch, entryMembers: ["Id", ...message], run: batches.sendMessageBatch },
  DeleteMessageBatch: { members: batch, entryMembers: ["Id", "ReceiptHandle"], run: batches.deleteMessageBatch },
  ChangeMessageVisibilityBatch: {
    members: batch,
    entryMembers: ["Id", "ReceiptHandle", "VisibilityTimeout"],
    run: batches.changeMessageVisibilityBatch,
  },
  ListDeadLetterSourceQueues: { members: ["QueueUrl"], run: deadLetters.listDeadLetterSourceQueues },
  StartMessageMoveTask: { members: ["SourceArn", "DestinationArn"], run: deadLetters.startMessageMoveTask },
};

function refuseUnknown(name: string, given: object, known: string[]): void {
  const unknown = Object.keys(given).find((member) => !known.includes(member));
  if (unknown) throw unsupported(`${unknown} of ${name}`);
}

/** Runs the operation that the call names. Throws UnknownOperationException or UnsupportedOperation. */
export function runOperation(broker: Broker, call: Call): unknown {
  const operation = Object.hasOwn(operations, call.operation) ? operations[call.operation] : undefined;
  if (!operation) {
    throw new AwsJsonError(
      "com.amazon.coral.service#UnknownOperationException",
      `The local SQS server does not implement ${call.operation}.`,
    );
  }
  refuseUnknown(call.operation, call.input, operation.members);
  if (operation.entryMembers) {
    for (const entry of (call.input.Entries ?? []) as object[])
      refuseUnknown(call.operation, entry, operation.entryMembers);
  }
  return operation.run(broker, call);
}
