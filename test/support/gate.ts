/** A proxy before one service of the local cloud that can hold a request back, so that a process can be met in the very act. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface GatedRequest {
  method: string;
  path: string;
  body: string;
}

export interface Held {
  request: GatedRequest;
  /** Lets it through. */
  release(): void;
}

export interface Gate {
  url: string;
  /**
   * Resolves when a request that matches has arrived; it waits until it is released, and is lost if its sender dies.
   * Rejects when none comes for half a minute.
   */
  hold(matches: (request: GatedRequest) => boolean): Promise<Held>;
  close(): Promise<void>;
}

interface Trap {
  matches(request: GatedRequest): boolean;
  caught(held: Held): void;
}

/** `target` such as `http://127.0.0.1:4566`. */
export async function startGate(target: string): Promise<Gate> {
  const { hostname, port } = new URL(target);
  const traps = new Set<Trap>();

  const pass = (incoming: IncomingMessage, body: Buffer, response: ServerResponse) => {
    const { method, url: path, headers } = incoming;
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end(body);
  };

  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const seen = { method: incoming.method!, path: incoming.url!, body: body.toString() };
    const trap = [...traps].find(({ matches }) => matches(seen));
    if (!trap) return pass(incoming, body, response);
    traps.delete(trap);
    trap.caught({ request: seen, release: () => response.destroyed || pass(incoming, body, response) });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(matches) {
      return new Promise((resolve, reject) => {
        const impatience = setTimeout(() => reject(new Error(`No request came that matches ${matches}`)), 30_000);
        const caught = (held: Held) => {
          clearTimeout(impatience);
          resolve(held);
        };
        traps.add({ matches, caught });
      });
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
