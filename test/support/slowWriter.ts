/** A model host that writes a word every so often, and a worker process that has it: to be killed in the middle of a text. */
import { setTimeout as pause } from "node:timers/promises";
import { createAwsClients } from "../../shared/aws.ts";
import { createQueue } from "../../shared/queue.ts";
import { createStores } from "../../shared/stores/stores.ts";
import { startConsumer } from "../../workers/consumer.ts";
import { startSweeper } from "../../workers/sweeper.ts";
import { createTasks } from "../../workers/tasks/tasks.ts";
import { type FakeHost, fakeHost } from "./fakeHost.ts";
import { workerContext } from "./workerTasks.ts";

export interface SlowHost extends FakeHost {
  /** Texts that are being written. */
  writing: number;
}

export function slowHost(milliseconds: number): SlowHost {
  const host: SlowHost = {
    ...fakeHost(),
    writing: 0,
    async generate(model, request, signal) {
      const { pieces, ...text } = await fakeHost().generate(model, request, signal);
      async function* slowly() {
        host.writing++;
        try {
          for await (const piece of pieces) {
            signal?.throwIfAborted();
            await pause(milliseconds);
            yield piece;
          }
        } finally {
          host.writing--;
        }
      }
      return { ...text, pieces: slowly() };
    },
  };
  return host;
}

/** Twenty words are half a second. */
const wordMilliseconds = 25;

/** On the cloud that the environment names. */
function work(): void {
  const names = {
    table: process.env.MILLRACE_TABLE!,
    bucket: process.env.MILLRACE_BUCKET!,
    queueUrl: process.env.MILLRACE_QUEUE_URL!,
    answerQueueUrl: process.env.MILLRACE_ANSWER_QUEUE_URL!,
    deadLetterQueueUrl: process.env.MILLRACE_DEAD_LETTER_QUEUE_URL!,
  };
  const aws = createAwsClients();
  const stores = createStores(aws, names);
  const queue = createQueue(aws.sqs, names);
  const environment = process.env as Record<string, string>;
  const host = slowHost(wordMilliseconds);
  const context = workerContext({ stores, queue, environment, home: process.env.TMPDIR! }, host);
  const { log } = context;
  const options = { sqs: aws.sqs, queue, tasks: createTasks(context), visibilitySeconds: 2, log };
  startConsumer({ ...options, queueUrl: names.answerQueueUrl });
  startSweeper({ kinds: [stores.answers], leftovers: stores.leftovers }, queue, 0.25, log);
  process.send!({ ready: true });
}

if (import.meta.main) work();
