/** The S3 server: parse, authenticate, route, answer; errors become S3's XML. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { localCredentials } from "../credentials.ts";
import { type Listener, listen } from "../listen.ts";
import { requireBucket } from "./buckets.ts";
import { corsHeaders, preflight } from "./cors.ts";
import { S3Error } from "./errors.ts";
import { parseRequest, type S3Request, type S3Response } from "./request.ts";
import { findRoute } from "./routing.ts";
import { authenticate } from "./signature.ts";
import { openStore, type S3Store } from "./store.ts";
import { writeXml } from "./xml.ts";

/** Forms carry their signature inside, and preflights have none; everything else is signed. */
const authenticatesItself = new Set(["PostObject"]);
const needsNoBucket = new Set(["CreateBucket", "ListBuckets"]);

async function answer(store: S3Store, request: S3Request): Promise<S3Response> {
  if (request.method === "OPTIONS") return preflight(store, request);
  const route = findRoute(request);
  if (!authenticatesItself.has(route.name)) authenticate(request, store.credentials);
  if (!needsNoBucket.has(route.name)) requireBucket(store, request.bucket);
  const response = await route.run(store, request);
  return { ...response, headers: { ...corsHeaders(store, request), ...response.headers } };
}

function errorResponse(error: unknown, path: string, requestId: string): S3Response {
  const known =
    error instanceof S3Error ? error : new S3Error("InternalError", String((error as Error).stack ?? error));
  const { code: Code, message: Message, status } = known;
  const body = writeXml("Error", { Code, Message, Resource: path, RequestId: requestId });
  return { status, headers: { "content-type": "application/xml" }, body };
}

async function send(request: IncomingMessage, response: ServerResponse, answered: S3Response): Promise<void> {
  const { status, headers = {}, body = "" } = answered;
  const text = typeof body === "string" ? { "content-length": Buffer.byteLength(body) } : {};
  const withoutBody = request.method === "HEAD" || status === 204 || status === 304;
  response.writeHead(status, { ...(withoutBody ? {} : text), ...headers });
  if (typeof body === "string") response.end(withoutBody ? undefined : body);
  else await pipeline(body, response);
}

async function handle(store: S3Store, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  response.setHeader("x-amz-request-id", requestId);
  let answered: S3Response;
  try {
    answered = await answer(store, parseRequest(incoming));
  } catch (error) {
    answered = errorResponse(error, incoming.url ?? "/", requestId);
  }
  // What is left of a refused body is read away, so that the client gets the answer instead of a broken pipe.
  incoming.resume();
  await send(incoming, response, answered);
}

/** Serves S3 from `folder`; port 0 means any free one. */
export async function startS3(folder: string, port: number): Promise<Listener> {
  const store = openStore(folder, localCredentials);
  const listener = await listen((request, response) => handle(store, request, response), port);
  return {
    url: listener.url,
    async close() {
      await listener.close();
      store.close();
    },
  };
}
