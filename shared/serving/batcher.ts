/**
 * Single questions become batches: those that wait together, of like length, run together. While a batch runs the next
 * one gathers, so a busy device is given full batches and an idle one answers at once.
 */
import { queueFull } from "./room.ts";

export interface BatcherOptions<Item, Answer> {
  /** Answers in the order of the items, which are all of one lane. */
  run(lane: string, items: readonly Item[]): Promise<readonly Answer[]>;
  /** Tokens, or what stands for them. */
  lengthOf(item: Item): number;
  /** The most that a batch's rows may hold when all are as long as the longest. */
  tokenBudget: number;
  /** What a run costs whatever is in it, in tokens: padding that costs more is not put up with. */
  runTokens: number;
  mostRows: number;
  /** Batches under way at once: one for each process, or two, so that the next lies ready. */
  mostBatches: number;
  /** Items that may wait; more are refused. */
  mostWaiting: number;
  /** How long an idle device waits for company, where the batch before had some. */
  maxWaitMilliseconds: number;
}

export interface Batcher<Item, Answer> {
  /**
   * Items of one lane may share a batch. Throws ApiError `queue_full`, and the signal's reason when it aborts before the
   * item's batch has begun.
   */
  ask(lane: string, item: Item, signal?: AbortSignal): Promise<Answer>;
  readonly waiting: number;
}

interface Waiting<Item, Answer> {
  lane: string;
  item: Item;
  length: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export function createBatcher<Item, Answer>(options: BatcherOptions<Item, Answer>): Batcher<Item, Answer> {
  /** Oldest first. */
  let queue: Waiting<Item, Answer>[] = [];
  let running = 0;
  let hadCompany = false;
  let isScheduled = false;

  const start = (batch: Waiting<Item, Answer>[]) => {
    running++;
    hadCompany = batch.length > 1;
    const taken = new Set(batch);
    queue = queue.filter((waiting) => !taken.has(waiting));
    const items = batch.map(({ item }) => item);
    options
      .run(batch[0]!.lane, items)
      .then(
        (answers) => {
          for (const [i, { resolve }] of batch.entries()) resolve(answers[i]!);
        },
        (error) => {
          for (const { reject } of batch) reject(error);
        },
      )
      .finally(() => {
        running--;
        pump();
      });
  };

  const pump = () => {
    isScheduled = false;
    while (running < options.mostBatches && queue.length > 0) start(nextBatch(queue, options));
  };

  /** Whoever asks in the same turn of the event loop comes along; beyond that an idle device waits only as told. */
  const schedule = () => {
    if (isScheduled || running >= options.mostBatches) return;
    isScheduled = true;
    if (running === 0 && hadCompany) setTimeout(pump, options.maxWaitMilliseconds);
    else setImmediate(pump);
  };

  return {
    get waiting() {
      return queue.length;
    },
    ask: (lane, item, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (queue.length >= options.mostWaiting) return reject(queueFull());
        const leave = () => {
          queue = queue.filter((other) => other !== waiting);
          reject(signal!.reason);
        };
        const settling =
          <Value>(settle: (value: Value) => void) =>
          (value: Value) => {
            signal?.removeEventListener("abort", leave);
            settle(value);
          };
        const waiting: Waiting<Item, Answer> = {
          ...{ lane, item, length: options.lengthOf(item) },
          ...{ resolve: settling(resolve), reject: settling(reject) },
        };
        signal?.addEventListener("abort", leave, { once: true });
        queue.push(waiting);
        schedule();
      }),
  };
}

/** Of the items most like the oldest in length, so many are looked at. */
const mostLookedAt = 128;

/** The oldest item, and those of its lane that share its run where all that are like it run at the least cost. */
function nextBatch<Item, Answer>(
  queue: readonly Waiting<Item, Answer>[],
  options: BatcherOptions<Item, Answer>,
): Waiting<Item, Answer>[] {
  const oldest = queue[0]!;
  const away = ({ length }: Waiting<Item, Answer>) => Math.abs(length - oldest.length);
  // Sorts are stable, so that of one length those come first that have waited longer.
  const alike = queue
    .filter(({ lane }) => lane === oldest.lane)
    .sort((a, b) => away(a) - away(b))
    .slice(0, mostLookedAt)
    .sort((a, b) => a.length - b.length);
  const starts = cheapestRuns(
    alike.map(({ length }) => length),
    options,
  );
  const place = alike.indexOf(oldest);
  let [start, end] = [starts[alike.length]!, alike.length];
  while (start > place) [start, end] = [starts[start]!, start];
  return alike.slice(start, end);
}

type Costs = Pick<BatcherOptions<unknown, unknown>, "tokenBudget" | "runTokens" | "mostRows">;

/**
 * How items of these lengths, ascending, are cut into runs that together cost least: by the end of a run, its start. An
 * item longer than the budget runs alone.
 */
function cheapestRuns(lengths: readonly number[], { tokenBudget, runTokens, mostRows }: Costs): number[] {
  const least = [0];
  const starts = [0];
  for (let end = 1; end <= lengths.length; end++) {
    const longest = lengths[end - 1]!;
    least[end] = Number.POSITIVE_INFINITY;
    for (let rows = 1; rows <= Math.min(end, mostRows); rows++) {
      if (rows > 1 && rows * longest > tokenBudget) break;
      const cost = least[end - rows]! + runTokens + rows * longest;
      if (cost < least[end]!) [least[end], starts[end]] = [cost, end - rows];
    }
  }
  return starts;
}
