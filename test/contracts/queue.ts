/** Queues for the SQS contract tests, each test's own, and what most of them do with one. */
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { atEnd, onAws, uniqueName } from "./cloud.ts";

type ReceiveOptions = Partial<ReceiveMessageCommandInput> & { signal?: AbortSignal };

export class TestQueue {
  readonly sqs: SQSClient;
  readonly name: string;
  readonly url: string;

  constructor(sqs: SQSClient, name: string, url: string) {
    this.sqs = sqs;
    this.name = name;
    this.url = url;
  }

  send(body: string, more: Partial<SendMessageCommandInput> = {}) {
    return this.sqs.send(new SendMessageCommand({ QueueUrl: this.url, MessageBody: body, ...more }));
  }

  /** One receive of up to ten messages, with all their attributes. */
  async receive({ signal, ...more }: ReceiveOptions = {}): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.url,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
      MessageSystemAttributeNames: ["All"],
      ...more,
    });
    return (await this.sqs.send(command, { abortSignal: signal })).Messages ?? [];
  }

  /** Receives until there are `count`: AWS may hand them out in several answers. */
  async receiveAll(count: number, more: ReceiveOptions = {}): Promise<Message[]> {
    const messages: Message[] = [];
    for (let attempt = 0; messages.length < count && attempt < 10; attempt++) {
      messages.push(...(await this.receive({ WaitTimeSeconds: 5, ...more })));
    }
    return messages;
  }

  async attributes(): Promise<Record<string, string>> {
    const command = new GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: ["All"] });
    return (await this.sqs.send(command)).Attributes ?? {};
  }

  async arn(): Promise<string> {
    return (await this.attributes()).QueueArn ?? "";
  }
}

/** Creates a queue that is deleted when the file's tests are through. Names of FIFO queues get their suffix. */
export async function openQueue(sqs: SQSClient, Attributes: Record<string, string> = {}): Promise<TestQueue> {
  const QueueName = `${uniqueName("queue")}${Attributes.FifoQueue ? ".fifo" : ""}`;
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  atEnd(async () => void (await sqs.send(new DeleteQueueCommand({ QueueUrl }))));
  return new TestQueue(sqs, QueueName, QueueUrl);
}

/** A receive that should find nothing must be a long poll on AWS, where a short one asks only some of the servers. */
export const nothing: ReceiveOptions = { WaitTimeSeconds: onAws ? 2 : 0 };
