/** The loopback HTTP listener that all three servers share: free ports, long-lived connections, a prompt clean close. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
export type Listener = {
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  /** Resolves when no connection is open and no handler is running, so that databases may be closed. */
  close(): Promise<void>;
};

/** How long requests under way may take to finish once closing has begun. */
const closeGraceMilliseconds = 1000;

/** Listens on 127.0.0.1 only. Port 0 means any free port. Rejects when the port is taken. */
export async function listen(handler: Handler, port: number): Promise<Listener> {
  const running = new Set<Promise<void>>();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => {
    const run = handler(request, response).catch((error: Error) => void response.destroy(error));
    running.add(run);
    void run.finally(() => running.delete(run));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  async function close(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    server.closeIdleConnections();
    const impatience = setTimeout(() => server.closeAllConnections(), closeGraceMilliseconds);
    await closed;
    clearTimeout(impatience);
    await Promise.all(running);
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
