/** Second step: the lines are answered, several at a time, from the first that no part holds. */
import { Stopped } from "../../lease.ts";
import { answerLine } from "./answerLine.ts";
import type { Attempt } from "./attempt.ts";
import { inOrder } from "./inOrder.ts";
import { OpenPart, storePart } from "./parts.ts";
import { type RawRequest, readRequests } from "./requests.ts";

/** So many at once that the model host can run them as full batches. */
const window = 32;

/**
 * Moves the batch to `finalizing` when every line has a result. A cancelled one is left as it is, its lines ended; and one
 * whose turn is over throws `Stopped`, as if the worker had to go.
 */
export async function runLines(attempt: Attempt): Promise<void> {
  const { context, batch, lease, halt } = attempt;
  const deadline = new AbortController();
  const remaining = batch.expires_at! * 1000 - Date.now();
  const expiry = setTimeout(() => deadline.abort(), Math.max(0, remaining));
  if (remaining <= 0) deadline.abort();
  const turn: Turn = { end: Date.now() + context.config.batchTurnSeconds * 1000, isThrough: false };
  let part = new OpenPart();
  try {
    const answers = inOrder(lines(attempt, turn), window, (raw) => answerLine(attempt, raw, deadline.signal));
    for await (const result of answers) {
      part.add(result);
      if (!part.isFull) continue;
      const full = part;
      part = new OpenPart();
      await storePart(attempt, full);
    }
    await storePart(attempt, part);
  } catch (error) {
    if (error instanceof Stopped && error.reason === "shutdown") await storePart(attempt, part);
    throw error;
  } finally {
    clearTimeout(expiry);
  }
  halt.throwIfAborted();
  if (lease.signal.aborted) return;
  if (!turn.isThrough) throw new Stopped("shutdown");
  await context.stores.batches.transition(batch, "finalizing", { attempt: lease.attempt, from: ["in_progress"] });
}

interface Turn {
  /** Unix time in milliseconds: others wait, too. */
  end: number;
  /** Whether the last line was begun. */
  isThrough: boolean;
}

/** Those without a result, until the batch is cancelled or its turn is over. */
async function* lines(attempt: Attempt, turn: Turn): AsyncGenerator<RawRequest> {
  for await (const request of readRequests(attempt, attempt.batch.next_line)) {
    if (attempt.lease.signal.aborted) return;
    yield request;
    // Behind a line, so that the shortest turn gets somewhere.
    if (Date.now() > turn.end) return;
  }
  turn.isThrough = true;
}
