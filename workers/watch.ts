/** What workers tell about their work: figures, and a segment of the trace of whoever asked for it. */
import type { Message } from "../shared/messages.ts";
import type { Counting } from "../shared/telemetry/metrics.ts";
import type { SendSegment } from "../shared/telemetry/segments.ts";
import { inTrace, readTrace } from "../shared/telemetry/trace.ts";
import type { Outcome } from "./task.ts";

/** What the queue says of a message. */
export interface Received {
  /** In milliseconds. */
  sentAt: number | undefined;
  /** How often it was received, this time counted. */
  receipts: number;
  traceparent: string | undefined;
}

/** A message's attributes, as SQS has them. */
export interface Told {
  Attributes?: { SentTimestamp?: string; ApproximateReceiveCount?: string } | undefined;
  MessageAttributes?: { traceparent?: { StringValue?: string | undefined } } | undefined;
}

export function toldOf({ Attributes, MessageAttributes }: Told): Received {
  const { SentTimestamp, ApproximateReceiveCount } = Attributes ?? {};
  return {
    sentAt: SentTimestamp === undefined ? undefined : Number(SentTimestamp),
    receipts: Number(ApproximateReceiveCount ?? 1),
    traceparent: MessageAttributes?.traceparent?.StringValue,
  };
}

export interface Watch {
  /** Does the work, of the trace that the message names, if any. */
  work(message: Message, received: Received, work: () => Promise<Outcome>): Promise<Outcome>;
  /** For tests, at a time of their own: tells how busy it was since the last time. */
  tellBusy(now?: number): void;
  stop(): void;
}

export interface WatchOptions {
  metrics: Counting;
  sendSegment: SendSegment;
  /** Names the queue. */
  queue: string;
  /** Messages that may be at work at once. */
  lanes: number;
  intervalMilliseconds?: number;
}

export function createWatch({
  metrics,
  sendSegment,
  queue,
  lanes,
  intervalMilliseconds = 60_000,
}: WatchOptions): Watch {
  /** When each message at work was begun, or was last told of. */
  const working = new Set<{ from: number }>();
  let busy = 0;
  let toldAt = Date.now();
  const tellBusy = (now = Date.now()) => {
    for (const one of working) {
      busy += now - one.from;
      one.from = now;
    }
    const length = (now - toldAt) * lanes;
    if (length > 0) metrics.add("Busy", queue, Math.min(100, (100 * busy) / length));
    [busy, toldAt] = [0, now];
  };
  const timer = setInterval(tellBusy, intervalMilliseconds).unref();

  const watched: Watch["work"] = async (message, { sentAt, receipts }, work) => {
    const from = Date.now();
    // One that was put back waited for a purpose.
    if (sentAt !== undefined && receipts <= 1) metrics.add("QueueAge", message.kind, Math.max(0, from - sentAt));
    const one = { from };
    working.add(one);
    let outcome: Outcome["type"] | "failed" = "failed";
    try {
      const result = await work();
      outcome = result.type;
      return result;
    } finally {
      const to = Date.now();
      working.delete(one);
      busy += to - one.from;
      metrics.add("Outcomes", outcome);
      metrics.add("WorkTime", message.kind, to - from);
    }
  };

  return {
    work(message, received, work) {
      const trace = readTrace(received.traceparent);
      if (!trace) return watched(message, received, work);
      const from = Date.now();
      let fault = true;
      const traced = async () => {
        try {
          const result = await watched(message, received, work);
          fault = result.type === "buried";
          return result;
        } finally {
          const annotations = { kind: message.kind, project_id: message.project_id, id: message.id };
          sendSegment({ name: "millrace-worker", trace, from, to: Date.now(), fault, annotations });
        }
      };
      return inTrace(trace, traced);
    },
    tellBusy,
    stop: () => clearInterval(timer),
  };
}
