/** A customer's server that webhooks are sent to: it keeps what came, and answers as the test wants. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Receiver {
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  port: number;
  received: Received[];
  /** Ids of the events that came, in order, with repeats. */
  events(): string[];
  /** What it does; default: 204. */
  answer: (response: ServerResponse, received: Received) => void;
  close(): Promise<void>;
}

export async function startReceiver(host = "127.0.0.1", port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { url: path = "", headers } = request;
    const one = { path, headers, body: Buffer.concat(parts).toString() };
    received.push(one);
    receiver.answer(response, one);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const { port: bound } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://${host}:${bound}`,
    port: bound,
    received,
    events: () => received.map(({ headers }) => String(headers["webhook-id"])),
    answer: (response) => void response.writeHead(204).end(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
