/** A queue for one class of jobs, with the dead-letter queue beside it. */
import { Duration } from "aws-cdk-lib";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { queueSettings } from "../queueSettings.ts";

const closed = { enforceSSL: true, encryption: QueueEncryption.SQS_MANAGED } as const;

/**
 * Fair: every message is sent with its project as `MessageGroupId`, which a standard queue takes as whom to be fair to.
 * Messages hold ids only, so the service's own key is enough. What is lost with a queue the sweeper sends again.
 */
export class JobQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  /** `visibilitySeconds`: of a message that was received, unless its receiver asks for others. */
  constructor(scope: Construct, id: string, { visibilitySeconds }: { visibilitySeconds: number } = queueSettings) {
    super(scope, id);
    this.dead = new Queue(this, "Dead", { ...closed, retentionPeriod: Duration.days(14) });
    this.queue = new Queue(this, "Queue", {
      ...closed,
      retentionPeriod: Duration.days(14),
      receiveMessageWaitTime: Duration.seconds(20),
      visibilityTimeout: Duration.seconds(visibilitySeconds),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: queueSettings.maxReceiveCount },
    });
  }
}
