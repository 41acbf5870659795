/** Clients of the API in a process of their own: each asks, waits for the answer, and asks again. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What is asked in all rounds; sent once, so that no round pays for it. */
export interface Asking {
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string;
  /** In this order. */
  readonly requests: readonly ClientRequest[];
}

export interface ClientRequest {
  readonly key: string;
  /** Of `POST /v1/decisions`. */
  readonly body: object;
}

export interface Round {
  /** Requests under way at once, each over a connection of its own that is kept. */
  readonly clients: number;
  /** The first so many. */
  readonly requests: number;
}

export interface Served {
  readonly milliseconds: number;
  /** Of each request, in milliseconds. */
  readonly latencies: readonly number[];
  /** Processor time that the clients themselves took, in milliseconds: on the same cores as those who serve. */
  readonly processor: number;
}

export interface Clients {
  /** Throws where a request is not answered with 200 and JSON. */
  run(round: Round): Promise<Served>;
  stop(): void;
}

export function startClients(asking: Asking): Clients {
  const child = fork(fileURLToPath(new URL("servingClientsProcess.ts", import.meta.url)), { execArgv: [] });
  child.send(asking);
  return {
    async run(round) {
      child.send(round);
      const [answer] = (await once(child, "message")) as [Served | { error: string }];
      if ("error" in answer) throw new Error(answer.error);
      return answer;
    },
    stop: () => void child.kill(),
  };
}

/** A question about one text, with all labels to choose from. */
export function decisionRequest(key: string, model: string, input: string, labels: readonly string[]): ClientRequest {
  const choices = labels.map((value) => ({ value }));
  return { key, body: { model, input, questions: [{ type: "choice", instructions: "Which?", choices }] } };
}
