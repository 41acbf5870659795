/** AWS's JSON 1.0 protocol, which SQS and DynamoDB share: the operation in X-Amz-Target, errors by `__type`. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Handler } from "./listen.ts";

export type JsonObject = Record<string, unknown>;

export class AwsJsonError extends Error {
  readonly status: number;
  readonly body: JsonObject;
  readonly headers: Record<string, string>;
  /** `type` is the qualified error name that becomes `__type`; `details` are further members of the body. */
  constructor(
    type: string,
    message: string,
    options: { status?: number; details?: JsonObject; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = options.status ?? 400;
    this.body = { __type: type, message, ...options.details };
    this.headers = options.headers ?? {};
  }
}

export type Call = {
  operation: string;
  input: JsonObject;
  /** Where the client reached this server, such as `http://127.0.0.1:41234`. */
  origin: string;
  /** Aborted when the client goes away before it has its answer. */
  signal: AbortSignal;
};

/** More than any request of either service: a DynamoDB batch or transaction. */
const maximumRequestBytes = 20 * 1024 ** 2;

async function readJson(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumRequestBytes)
      throw new AwsJsonError("com.amazon.coral.service#RequestEntityTooLarge", "", { status: 413 });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
  } catch {
    throw new AwsJsonError("com.amazon.coral.service#SerializationException", "The request is not JSON.");
  }
}

function clientGone(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  const abort = () => controller.abort();
  // The end of the socket is known earlier than the close of the response; a long poll needs every tick.
  request.socket.once("end", abort);
  response.once("close", () => {
    request.socket.off("end", abort);
    if (!response.writableEnded) abort();
  });
  return controller.signal;
}

async function respond(
  request: IncomingMessage,
  signal: AbortSignal,
  dispatch: (call: Call) => unknown,
): Promise<unknown> {
  const operation = String(request.headers["x-amz-target"] ?? "").split(".")[1] ?? "";
  if (!request.headers.authorization?.startsWith("AWS4-HMAC-SHA256")) {
    throw new AwsJsonError(
      "com.amazon.coral.service#MissingAuthenticationTokenException",
      "Request is missing Authentication Token",
    );
  }
  const input = await readJson(request);
  return dispatch({ operation, input, origin: `http://${request.headers.host}`, signal });
}

function asError(error: unknown): AwsJsonError {
  if (error instanceof AwsJsonError) return error;
  const message = String((error as Error).stack ?? error);
  return new AwsJsonError("com.amazon.coral.service#InternalFailure", message, { status: 500 });
}

/** Answers with what `dispatch` returns, or with the error it throws. Presence of a signature is checked, not its value. */
export function jsonHandler(dispatch: (call: Call) => unknown): Handler {
  return async (request, response) => {
    const signal = clientGone(request, response);
    response.setHeader("content-type", "application/x-amz-json-1.0");
    response.setHeader("x-amzn-requestid", randomUUID());
    try {
      const result = await respond(request, signal, dispatch);
      response.writeHead(200).end(JSON.stringify(result ?? {}));
    } catch (error) {
      const { status, headers, body } = asError(error);
      request.resume();
      response.writeHead(status, headers).end(JSON.stringify(body));
    }
  };
}
