/** The app as a Lambda function's handler: answers as a whole, or as they come. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { type Metrics, noMetrics } from "../shared/telemetry/metrics.ts";
import { type GatewayAnswer, type GatewayEvent, type ReadRequest, requestReader, toAnswer } from "./gatewayEvents.ts";
import { toApiError } from "./middleware/errors.ts";
import type { Router } from "./router.ts";

/** What Lambda says of an invocation, as far as it is used. */
export interface LambdaContext {
  awsRequestId: string;
}

export type Handler = (event: GatewayEvent, context: LambdaContext) => Promise<GatewayAnswer>;
export type StreamingHandler = (event: GatewayEvent, output: Writable, context: LambdaContext) => Promise<void>;

/** What Lambda's runtime for Node.js puts into the global `awslambda`. */
export interface LambdaRuntime {
  streamifyResponse(handler: StreamingHandler): unknown;
  HttpResponseStream: {
    /** The same stream, before whose first bytes status and headers are sent. */
    from(output: Writable, head: { statusCode: number; headers: Record<string, string> }): Writable;
  };
}

type App = Pick<Router, "fetch" | "routes">;

/** What is counted is told before the function is frozen. */
type Told = Pick<Metrics, "flush">;

/** For integrations that take an answer as a whole: at most 6 MB, of which base 64 is a third more. */
export function answerWhole(app: App, told: Told = noMetrics): Handler {
  const read = requestReader(app);
  // Nobody tells such a function that its client went away.
  const { signal } = new AbortController();
  return async (event, context) => {
    const answer = await toAnswer(await ask(app, read, { event, context, signal }));
    told.flush();
    return answer;
  };
}

/** For integrations whose transfer mode is `STREAM`, which every answer then goes through. */
export function answerStreaming(app: App, runtime: LambdaRuntime, told: Told = noMetrics): unknown {
  const read = requestReader(app);
  return runtime.streamifyResponse(async (event, output, context) => {
    const gone = new AbortController();
    const leave = () => gone.abort(new Error("the client went away"));
    output.on("close", leave).on("error", leave);
    const response = await ask(app, read, { event, context, signal: gone.signal });
    // A length is of one body, not of one in pieces.
    const { "content-length": _, ...headers } = Object.fromEntries(response.headers);
    const stream = runtime.HttpResponseStream.from(output, { statusCode: response.status, headers });
    await send(response, stream, gone.signal);
    output.off("close", leave);
    told.flush();
    stream.end();
  });
}

/** Whoever makes the body makes no more than the other side takes, and is told when nobody takes it any more. */
async function send(response: Response, stream: Writable, gone: AbortSignal): Promise<void> {
  const left = new Promise<void>((resolve) => gone.addEventListener("abort", () => resolve(), { once: true }));
  // Status and headers go out with the first write, be it of nothing.
  stream.write("");
  const reader = response.body?.getReader();
  while (reader && !gone.aborted) {
    const piece = await Promise.race([reader.read(), left]);
    if (!piece || piece.done) break;
    if (!stream.write(piece.value)) await Promise.race([once(stream, "drain").catch(() => {}), left]);
  }
  // It returns when what is counted and recorded of the answer is durable: afterwards the function is frozen.
  if (gone.aborted) await reader?.cancel(gone.reason);
}

interface Asked {
  event: GatewayEvent;
  context: LambdaContext;
  signal: AbortSignal;
}

/** What middleware may ask for is named as the framework's own adapter names it. */
async function ask(app: App, read: ReadRequest, { event, context, signal }: Asked): Promise<Response> {
  try {
    const known = { event, requestContext: event.requestContext, lambdaContext: context };
    return await app.fetch(read(event, signal), known);
  } catch (cause) {
    const error = toApiError(cause);
    return Response.json(error.toBody(), { status: error.status });
  }
}
