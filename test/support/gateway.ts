/** API Gateway as a Lambda function meets it: events as a REST API sends them, and the runtime's streamed answers as it reads them. */
import { Writable } from "node:stream";
import type { GatewayEvent } from "../../api/gatewayEvents.ts";
import type { LambdaContext, LambdaRuntime, StreamingHandler } from "../../api/lambdaHandlers.ts";

export interface Sent {
  method?: string;
  path: string;
  /** With every value of every name. */
  query?: Record<string, string[]>;
  headers?: Record<string, string[]>;
  body?: string | Uint8Array;
}

export const stage = "prod";

/**
 * Format 1.0, as in AWS's documentation of Lambda proxy integrations; bodies are in base 64, as where every media type is
 * binary.
 */
export function restEvent({ method = "GET", path, query, headers = {}, body }: Sent): GatewayEvent {
  const host = "abcde12345.execute-api.eu-central-1.amazonaws.com";
  const multiValueHeaders = {
    ...{ Host: [host], "X-Forwarded-For": ["203.0.113.7, 198.51.100.2"], "X-Forwarded-Proto": ["https"] },
    ...{ "X-Amzn-Trace-Id": ["Root=1-67891233-abcdef012345678912345678"] },
    ...headers,
  };
  const event = {
    resource: "/{proxy+}",
    path,
    httpMethod: method,
    headers: lastOf(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: query ? lastOf(query) : null,
    multiValueQueryStringParameters: query ?? null,
    pathParameters: { proxy: decodeURIComponent(path.slice(1)) },
    stageVariables: null,
    requestContext: {
      accountId: "123456789012",
      resourceId: "123456",
      stage,
      requestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
      extendedRequestId: "JJbxmplHNRMF",
      requestTime: "09/Apr/2025:12:34:56 +0000",
      requestTimeEpoch: 1744202096000,
      identity: { sourceIp: "203.0.113.7", userAgent: "OpenAI/JS 7.57.0", user: null },
      domainName: host,
      domainPrefix: "abcde12345",
      path: `/${stage}${path}`,
      resourcePath: "/{proxy+}",
      httpMethod: method,
      protocol: "HTTP/1.1",
      apiId: "abcde12345",
    },
    body: body === undefined ? null : Buffer.from(body).toString("base64"),
    isBase64Encoded: body !== undefined,
  };
  return event;
}

/** Of several values the event's simple form has the last. */
function lastOf(lists: Record<string, string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, values.at(-1)!]));
}

export const context: LambdaContext = { awsRequestId: "8a2b1c04-0000-4000-8000-000000000001" };

const heads = new WeakMap<Writable, string>();

/** As Lambda's runtime for Node.js does it: head and eight zero bytes go out before the first write. */
export const runtime: LambdaRuntime = {
  streamifyResponse: (handler) => handler,
  HttpResponseStream: {
    from(output, head) {
      heads.set(output, `${JSON.stringify(head)}${"\0".repeat(8)}`);
      const write = output.write.bind(output) as (chunk: unknown) => boolean;
      output.write = ((chunk: unknown) => {
        const text = heads.get(output);
        heads.delete(output);
        if (text) write(text);
        return write(chunk);
      }) as never;
      return output;
    },
  },
};

export interface Streamed {
  statusCode: number;
  headers: Record<string, string>;
  body: Buffer;
  /** How often something was written. */
  pieces: number;
}

/** Invokes a streaming handler and reads what it wrote as the gateway does. */
export async function invokeStreaming(handler: unknown, event: GatewayEvent): Promise<Streamed> {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (chunk.length) chunks.push(chunk);
      done();
    },
  });
  await (handler as StreamingHandler)(event, output, context);
  const whole = Buffer.concat(chunks);
  const end = whole.indexOf("\0".repeat(8));
  const head = JSON.parse(whole.subarray(0, end).toString()) as Pick<Streamed, "statusCode" | "headers">;
  return { ...head, body: whole.subarray(end + 8), pieces: chunks.length - 1 };
}
