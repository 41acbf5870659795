/** Serves the app over HTTP. What fails before a request reaches the app is answered in the same form as everything else. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
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

/** A large upload over a slow line may take this long. */
const requestTimeout = 60 * 60 * 1000;

/** Port 0 means any free port. Rejects when the port is taken. */
export async function listen(app: Router, at: { host: string; port: number }): Promise<Listening> {
  const listener = getRequestListener(app.fetch, {
    errorHandler: (cause) => {
      const error = new ApiError("invalid_value", "The request is not well-formed HTTP.", { cause });
      return Response.json(error.toBody(), { status: error.status, headers: { "x-request-id": newId("request") } });
    },
  });
  const server = createServer({ requestTimeout, keepAliveTimeout: 65_000 }, listener);
  server.on("clientError", answerBadHttp);
  server.listen(at.port, at.host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = at.host.includes(":") ? `[${at.host}]` : at.host;
  return { port, url: `http://${host}:${port}`, close: (grace = 10_000) => close(server, grace) };
}

function answerBadHttp(_cause: Error, socket: Socket): void {
  if (!socket.writable) return;
  const error = new ApiError("invalid_value", "The request is not well-formed HTTP.");
  const body = JSON.stringify(error.toBody());
  const headers = ["content-type: application/json", `x-request-id: ${newId("request")}`, "connection: close"];
  socket.end(
    `HTTP/1.1 400 Bad Request\r\n${headers.join("\r\n")}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
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
