/** Serves the app over HTTP. What fails before a request reaches the app is answered in the same form as everything else. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { ApiError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import type { Router } from "./router.ts";

export interface Listening {
  port: number;
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  /** Takes no new connections, and resolves when the requests under way are answered or `graceMilliseconds` are over. */
  close(graceMilliseconds?: number): Promise<void>;
}

export interface Patience {
  /** With a request's line and headers, in milliseconds. */
  headers: number;
  /** With a body that is no upload: 4 MiB at most. */
  body: number;
  /** With a whole upload, which may be large and its line slow. */
  upload: number;
  /** With a connection on which nothing moves; longer than any answer keeps quiet. */
  silence: number;
}

const usualPatience: Patience = { headers: 20_000, body: 60_000, upload: 60 * 60 * 1000, silence: 10 * 60 * 1000 };

/** What may stand before the body: names, keys, paths and queries. Node's own limit, told here as part of the contract. */
const maxHeaderBytes = 16 * 1024;

/** Longer than a load balancer's idle timeout: it would send a request on a connection that is just being closed. */
export const keepAliveMilliseconds = 310_000;

/** Port 0 means any free port. Rejects when the port is taken. */
export async function listen(
  app: Router,
  at: { host: string; port: number },
  patience: Patience = usualPatience,
): Promise<Listening> {
  const listener = getRequestListener(app.fetch, {
    errorHandler: (cause) => {
      const error = new ApiError("invalid_value", "The request is not well-formed HTTP.", { cause });
      const headers = { "x-request-id": newId("request"), "x-content-type-options": "nosniff" };
      return Response.json(error.toBody(), { status: error.status, headers });
    },
  });
  const server = createServer(
    {
      requestTimeout: patience.upload,
      headersTimeout: patience.headers,
      connectionsCheckingInterval: Math.min(5000, patience.headers),
      keepAliveTimeout: keepAliveMilliseconds,
      maxHeaderSize: maxHeaderBytes,
    },
    (request, response) => {
      if (hasBody(request) && !isUpload(request)) hurry(request, response, patience.body);
      void listener(request, response);
    },
  );
  server.setTimeout(patience.silence, (socket) => socket.destroy());
  server.on("clientError", answerBadHttp);
  server.listen(at.port, at.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = at.host.includes(":") ? `[${at.host}]` : at.host;
  return { port, url: `http://${host}:${port}`, close: (grace = 10_000) => close(server, grace) };
}

const hasBody = ({ headers }: IncomingMessage) =>
  Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] !== undefined;
const isUpload = ({ headers }: IncomingMessage) => /^multipart\//i.test(headers["content-type"] ?? "");

/** Ends the connection of a body that drips: somebody who opens many of those would have us wait for ever. */
function hurry(request: IncomingMessage, response: ServerResponse, milliseconds: number): void {
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (response.headersSent) request.socket.destroy();
    else answerBadHttp({ code: "ERR_HTTP_REQUEST_TIMEOUT" }, request.socket);
  }, milliseconds);
  request.once("close", () => clearTimeout(timer));
}

/** By the code of Node's error; all else is 400. */
const transportFaults: Record<string, { line: string; message: string }> = {
  HPE_HEADER_OVERFLOW: {
    line: "431 Request Header Fields Too Large",
    message: `The request's address and headers are larger than ${maxHeaderBytes} bytes.`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { line: "408 Request Timeout", message: "The request took too long to arrive." },
};

function answerBadHttp({ code = "" }: { code?: string }, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const { line = "400 Bad Request", message = "The request is not well-formed HTTP." } = transportFaults[code] ?? {};
  const body = JSON.stringify(new ApiError("invalid_value", message).toBody());
  const headers = [
    "content-type: application/json",
    "x-content-type-options: nosniff",
    `x-request-id: ${newId("request")}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`HTTP/1.1 ${line}\r\n${headers.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

async function close(server: Server, graceMilliseconds: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  // A connection that is kept alive becomes idle only when its answer is out, which may be after the first look.
  const looking = setInterval(() => server.closeIdleConnections(), 20);
  const impatience = setTimeout(() => server.closeAllConnections(), graceMilliseconds);
  await closed;
  clearInterval(looking);
  clearTimeout(impatience);
}
