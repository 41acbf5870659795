/** A deployment with a fault that is planted in front of it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Passing {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

export interface Fault {
  /** Changes what is asked. */
  request?(passing: Passing): void;
  /** Changes what is answered; returns the body. */
  answer?(passing: Passing, body: string): string;
}

export interface FaultyProxy {
  /** Such as `http://127.0.0.1:41234`. */
  origin: string;
  close(): Promise<void>;
}

/** `target` such as `http://127.0.0.1:4566`. */
export async function startFaultyProxy(target: string, fault: Fault): Promise<FaultyProxy> {
  const server = createServer(async (incoming, outgoing) => {
    const { method = "GET", url: path = "/" } = incoming;
    const headers = new Headers(incoming.headers as Record<string, string>);
    for (const name of ["host", "connection", "content-length", "transfer-encoding"]) headers.delete(name);
    const body = Buffer.concat(await incoming.toArray()).toString("latin1");
    const passing: Passing = { method, path, headers, body };
    fault.request?.(passing);
    const hasBody = method !== "GET" && method !== "HEAD" && passing.body !== "";
    const response = await fetch(`${target}${passing.path}`, {
      method,
      headers: passing.headers,
      body: hasBody ? Buffer.from(passing.body, "latin1") : null,
    });
    const answer = Buffer.from(await response.arrayBuffer()).toString("latin1");
    const { "content-encoding": _, "content-length": __, ...kept } = Object.fromEntries(response.headers);
    outgoing.writeHead(response.status, kept);
    outgoing.end(Buffer.from(fault.answer?.(passing, answer) ?? answer, "latin1"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
