/** Requests as API Gateway's REST API and Lambda's function URLs send them, and answers as they take them. */
import { ApiError } from "../shared/errors.ts";
import type { Router } from "./router.ts";

type Values = Readonly<Record<string, string | undefined>> | null | undefined;
type Lists = Readonly<Record<string, readonly string[] | undefined>> | null | undefined;

/** Of a REST API, format 1.0; of a function URL, 2.0, which has `rawPath`. What is not read here is left out. */
export interface GatewayEvent {
  headers?: Values;
  body?: string | null;
  isBase64Encoded?: boolean;
  requestContext: {
    requestId?: string;
    domainName?: string;
    identity?: { sourceIp?: string };
    http?: { method: string; sourceIp?: string };
  };
  httpMethod?: string;
  /** As it came, percent signs and all, without the stage, but with a custom domain's base path. */
  path?: string;
  multiValueHeaders?: Lists;
  /** Decoded. */
  queryStringParameters?: Values;
  multiValueQueryStringParameters?: Lists;
  rawPath?: string;
  rawQueryString?: string;
}

export interface GatewayAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

export type ReadRequest = (event: GatewayEvent, signal: AbortSignal) => Request;

/** Of requests to that app. What is read throws ApiError where it is no request. */
export function requestReader(app: Pick<Router, "routes">): ReadRequest {
  /** Names that paths begin with. */
  const known = new Set(app.routes.map(({ path }) => path.split("/")[1]));
  const withoutPrefix = (path: string): string => {
    const [, first, ...rest] = path.split("/");
    // A stage, or a domain's base path.
    return !known.has(first) && known.has(rest[0]) ? `/${rest.join("/")}` : path;
  };
  return (event, signal) => {
    const method = event.httpMethod ?? event.requestContext?.http?.method;
    const path = event.path ?? event.rawPath;
    if (!method || !path?.startsWith("/")) throw new ApiError("invalid_value", "The event is no gateway's request.");
    const body = event.body ? Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8") : null;
    const headers = headersOf(event);
    // The gateway was sent so many bytes; this function was sent others.
    if (body) headers.set("content-length", String(body.length));
    const query = queryOf(event);
    const url = `https://${event.requestContext.domainName ?? "lambda"}${withoutPrefix(path)}${query && `?${query}`}`;
    const hasBody = method !== "GET" && method !== "HEAD";
    return new Request(url, { method, headers, signal, body: hasBody ? body : null });
  };
}

function headersOf({ headers, multiValueHeaders }: GatewayEvent): Headers {
  const read = new Headers();
  for (const [name, values = []] of Object.entries(multiValueHeaders ?? {})) {
    for (const value of values) read.append(name, latin1(value));
  }
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined && !read.has(name)) read.set(name, latin1(value));
  }
  return read;
}

/** Bytes, as a header has them over HTTP. */
const latin1 = (value: string) => Buffer.from(value, "utf8").toString("latin1");

function queryOf({ rawQueryString, multiValueQueryStringParameters, queryStringParameters }: GatewayEvent): string {
  if (rawQueryString !== undefined) return rawQueryString;
  const query = new URLSearchParams();
  const lists = multiValueQueryStringParameters ?? {};
  for (const [name, values = []] of Object.entries(lists)) for (const value of values) query.append(name, value);
  for (const [name, value = ""] of Object.entries(queryStringParameters ?? {})) {
    if (!(name in lists)) query.append(name, value);
  }
  return query.toString();
}

const isText = /^(text\/|application\/([\w.-]+\+)?(json|javascript)\b)/i;

/** The answer as a whole. What is no text travels in base 64. */
export async function toAnswer(response: Response): Promise<GatewayAnswer> {
  const isBase64Encoded = !isText.test(response.headers.get("content-type") ?? "");
  const body = Buffer.from(await response.arrayBuffer()).toString(isBase64Encoded ? "base64" : "utf8");
  const headers = Object.fromEntries(response.headers);
  return { statusCode: response.status, headers, body, isBase64Encoded: isBase64Encoded && body !== "" };
}
