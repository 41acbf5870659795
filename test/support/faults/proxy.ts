/** A proxy before one service of the cloud that lets calls fail as networks, disks and busy services do. */
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Fault, FaultKind, FaultPlan, Service } from "./faults.ts";
import { refuse } from "./wireErrors.ts";

export interface FaultCounts {
  calls: number;
  faults: Partial<Record<FaultKind, number>>;
}

export interface FaultProxy {
  /** Such as `http://127.0.0.1:41234`. */
  url: string;
  readonly counts: FaultCounts;
  close(): Promise<void>;
}

interface Asked {
  service: Service;
  target: URL;
  agent: Agent;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Aborts when whoever asked goes away without an answer. */
  gone: AbortSignal;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

const longestDelay = 3000;
/** Longer than any client waits for an answer. */
const hangMilliseconds = 60_000;
const slowPieces = 8;
const slowMilliseconds = 2500;

type Way = (asked: Asked, response: ServerResponse, measure: number) => Promise<void>;

/** What happens to a call by what befalls it. */
const ways: Record<FaultKind, Way> = {
  error_before: async ({ service }, response, measure) => refuse(response, service, "failures", measure),
  async error_after(asked, response, measure) {
    await forward(asked);
    refuse(response, asked.service, "failures", measure);
  },
  throttle: async ({ service }, response, measure) => refuse(response, service, "throttles", measure),
  cut_before: async (_asked, response) => cut(response),
  async cut_after(asked, response) {
    await forward(asked);
    cut(response);
  },
  async delay(asked, response, measure) {
    await pause(measure * longestDelay);
    await pass(asked, response);
  },
  async hang(asked, response, measure) {
    if (measure < 0.5) await forward(asked);
    await pause(hangMilliseconds, undefined, { ref: false });
    cut(response);
  },
  async slow_body(asked, response, measure) {
    const { status, headers, body } = await forward(asked);
    response.writeHead(status, headers);
    const size = Math.ceil(body.length / slowPieces);
    for (let from = 0; from < body.length && !response.destroyed; from += size) {
      response.write(body.subarray(from, from + size));
      await pause((measure * slowMilliseconds) / slowPieces);
    }
    response.end();
  },
  async cut_body(asked, response, measure) {
    const { status, headers, body } = await forward(asked);
    response.writeHead(status, headers);
    response.write(body.subarray(0, Math.floor(measure * body.length)), () => cut(response));
  },
  async duplicate(asked, response) {
    await forward(asked);
    await pass(asked, response);
  },
  reorder: (asked, response) => pass(delayed(asked, 1), response),
  late: (asked, response, measure) => pass(delayed(asked, 2 + Math.floor(measure * 10)), response),
};

const pass: (asked: Asked, response: ServerResponse) => Promise<void> = async (asked, response) => {
  const { status, headers, body } = await forward(asked, asked.gone);
  response.writeHead(status, headers).end(body);
};

export async function startFaultProxy(service: Service, url: string, plan: FaultPlan): Promise<FaultProxy> {
  const target = new URL(url);
  const agent = new Agent({ keepAlive: true });
  const counts: FaultCounts = { calls: 0, faults: {} };
  const server = createServer(async (incoming, response) => {
    try {
      const body = await read(incoming);
      const { method = "GET", url: path = "/", headers } = incoming;
      const gone = goneOf(response);
      const asked = { service, target, agent, method, path, headers, body, gone };
      const operation = String(headers["x-amz-target"] ?? "").split(".")[1] ?? method;
      const fault = plan.next({ service, operation });
      count(counts, fault);
      await (fault ? ways[fault.kind](asked, response, fault.measure) : pass(asked, response));
    } catch {
      // Whoever asked has gone, or who was to answer: either way the line is dead.
      cut(response);
    }
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    async close() {
      agent.destroy();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function count(counts: FaultCounts, fault: Fault | undefined): void {
  counts.calls++;
  if (fault) counts.faults[fault.kind] = (counts.faults[fault.kind] ?? 0) + 1;
}

function goneOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => response.writableFinished || controller.abort());
  return controller.signal;
}

function cut(response: ServerResponse): void {
  response.destroy();
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function forward({ target, agent, method, path, headers, body }: Asked, signal?: AbortSignal): Promise<Answer> {
  const { hostname, port } = target;
  return new Promise((resolve, reject) => {
    const onward = request({ hostname, port, method, path, headers, agent, signal }, (answer) => {
      read(answer).then((read) => resolve({ status: answer.statusCode!, headers: answer.headers, body: read }), reject);
    });
    onward.on("error", reject);
    onward.end(body);
  });
}

/** The message as if its sender had asked for it to come so many seconds later. */
function delayed(asked: Asked, seconds: number): Asked {
  const body = Buffer.from(JSON.stringify({ ...JSON.parse(asked.body.toString()), DelaySeconds: seconds }));
  return { ...asked, body, headers: { ...asked.headers, "content-length": String(body.length) } };
}
