/** Answers as server-sent events: what the SDK's parser takes, and nothing that it would trip over. */
import type { Context } from "hono";
import type { z } from "zod";
import type { Endpoint, StreamEvent } from "../../shared/inference/endpoint.ts";
import { toApiError } from "../middleware/errors.ts";
import type { Observe } from "../requestEvents.ts";
import type { Env } from "../router.ts";
import type { InferenceService, Relayed } from "../services/inference.ts";
import { inferenceCall, sendAnswer } from "./inference.ts";

export interface EventStreamOptions {
  readonly observe: Observe;
  /** After so long without an event a comment is sent, lest somebody on the way takes the line for dead. */
  readonly keepAliveMilliseconds?: number;
}

/** The stop of whoever writes when nobody reads any more: by the request's end, or by the answer's. */
export function readerSignal(c: Context): { signal: AbortSignal; stop: AbortController } {
  const stop = new AbortController();
  return { signal: AbortSignal.any([c.req.raw.signal, stop.signal]), stop };
}

const encoder = new TextEncoder();
const quiet = Symbol("quiet");

/** The events one by one, and `[DONE]` behind those that have no names. */
export function sendEvents(
  c: Context,
  { events, digest }: Relayed,
  stop: AbortController,
  { observe, keepAliveMilliseconds = 15_000 }: EventStreamOptions,
): Response {
  const iterator = lines(events, (cause) => {
    // Whoever went away ended the writing, which is no failure.
    if (!c.req.raw.signal.aborted && !stop.signal.aborted)
      observe({ type: "failed", request_id: c.var.requestId, cause });
  });
  let next: Promise<IteratorResult<string>> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= iterator.next();
      const line = await orQuiet(next, keepAliveMilliseconds);
      if (line === quiet) return controller.enqueue(encoder.encode(": keep-alive\n\n"));
      next = undefined;
      if (line.done) controller.close();
      else controller.enqueue(encoder.encode(line.value));
    },
    async cancel() {
      stop.abort();
      await iterator.return(undefined).catch(() => {});
    },
  });
  if (digest !== null) c.header("x-millrace-model-digest", digest);
  c.header("cache-control", "no-cache");
  return c.body(body, 200, { "content-type": "text/event-stream" });
}

async function* lines(events: AsyncIterable<StreamEvent>, failed: (cause: unknown) => void): AsyncGenerator<string> {
  let isNamed = false;
  try {
    for await (const { name, data } of events) {
      isNamed = name !== undefined;
      yield `${isNamed ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;
    }
  } catch (cause) {
    const error = toApiError(cause);
    if (error.status >= 500) failed(error.cause ?? error);
    yield `data: ${JSON.stringify(error.toBody())}\n\n`;
  }
  if (!isNamed) yield "data: [DONE]\n\n";
}

async function orQuiet<T>(value: Promise<T>, milliseconds: number): Promise<T | typeof quiet> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<typeof quiet>((resolve) => (timer = setTimeout(resolve, milliseconds, quiet)));
  try {
    return await Promise.race([value, patience]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a route that can do both needs: the answer as one body, or, where the request says `stream`, as events. */
export interface TextRoute<Request, Answer> {
  readonly inference: InferenceService;
  readonly endpoint: Endpoint<Request, Answer>;
  /** Of the answer as one body. */
  readonly schema: z.ZodType<Answer>;
  readonly observe: Observe;
}

export async function answerOrStream<Request extends { stream?: boolean | null | undefined }, Answer extends object>(
  c: Context<Env>,
  request: Request,
  { inference, endpoint, schema, observe }: TextRoute<Request, Answer>,
): Promise<Response> {
  if (!request.stream) {
    const answered = await inference.answer(endpoint, inferenceCall(c, request));
    return c.json(schema.parse(sendAnswer(c, answered)), 200);
  }
  const { signal, stop } = readerSignal(c);
  return sendEvents(c, await inference.stream(endpoint, inferenceCall(c, request, signal)), stop, { observe });
}
