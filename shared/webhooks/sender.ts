/** One attempt at a delivery: a POST to where it may go, and nowhere else, with bounds on time and on what is read. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { WebhookAttempt } from "../schemas/webhookDelivery.ts";
import { isPublic, literalAddress, urlFault } from "./addresses.ts";
import { createResolve, type Resolve, resolveLocally } from "./names.ts";

export interface SenderOptions {
  /** Of the whole attempt. */
  timeoutMilliseconds: number;
  /** The operator's switch: plain HTTP, any port, any address. */
  local: boolean;
  /** Default: by name servers alone; where `local`, by the machine's own means. */
  resolve?: Resolve;
  /** Whether an address may be connected to. Default: public ones, and any where `local`. */
  permits?: (address: string) => boolean;
}

export interface Sent extends WebhookAttempt {
  /** Seconds after which the receiver asks to be tried again. */
  retry_after: number | null;
}

export interface Sender {
  /** Never throws: what goes wrong is the attempt's `error`. */
  send(url: string, headers: Record<string, string>, body: string): Promise<Sent>;
}

/** Told to the customer as it is. */
class Refused extends Error {}

/** Read so that a receiver can end its answer in peace; nothing of it is kept. */
const mostBytesRead = 16 * 1024;

export function createSender(options: SenderOptions): Sender {
  const { timeoutMilliseconds, local, resolve = local ? resolveLocally : createResolve() } = options;
  const permits = options.permits ?? (local ? () => true : isPublic);
  const lookup = guardedLookup(resolve, permits);
  return {
    async send(url, headers, body) {
      const started = Date.now();
      const told = (status_code: number | null, error: string | null, retry_after: number | null = null): Sent => {
        const attempted_at = Math.floor(started / 1000);
        return { attempted_at, status_code, latency_ms: Date.now() - started, error, retry_after };
      };
      const fault = urlFault(url, { local });
      if (fault) return told(null, `The URL ${fault}.`);
      const target = new URL(url);
      const literal = literalAddress(target);
      if (literal !== undefined && !permits(literal)) return told(null, notPublic);
      try {
        const signal = AbortSignal.timeout(timeoutMilliseconds);
        const { status, retryAfter } = await post(target, { headers, body, lookup, signal });
        return told(status, statusFault(status), retryAfter);
      } catch (error) {
        return told(null, causeOf(error as NodeJS.ErrnoException, timeoutMilliseconds));
      }
    },
  };
}

const notPublic = "The name leads to an address that is not of the public internet.";

/**
 * What the socket asks for its address: it connects to what was checked here, and nobody resolves the name again in between.
 * A name of which any address is forbidden is refused as a whole.
 */
function guardedLookup(resolve: Resolve, permits: (address: string) => boolean) {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        if (addresses.length === 0) return callback(new Refused("The name does not resolve."), "");
        if (!addresses.every(({ address }) => permits(address))) return callback(new Refused(notPublic), "");
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else callback(null, first!.address, first!.family);
      },
      (error) => callback(error, ""),
    );
  };
  return lookup;
}

interface Posting {
  headers: Record<string, string>;
  body: string;
  lookup: LookupFunction;
  signal: AbortSignal;
}

function post(target: URL, { headers, body, lookup, signal }: Posting) {
  const request = target.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise<{ status: number; retryAfter: number | null }>((resolve, reject) => {
    const sent = request(target, {
      method: "POST",
      // A connection of its own: none that was opened for another customer, or before an address changed.
      agent: false,
      lookup,
      signal,
      headers: {
        ...headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "Millrace-Webhooks",
      },
    });
    let answered: () => void = () => {};
    sent.on("response", (response) => {
      let read = 0;
      answered = () => {
        response.destroy();
        resolve({ status: response.statusCode!, retryAfter: secondsIn(response.headers["retry-after"]) });
      };
      response.on("data", (part: Buffer) => {
        read += part.length;
        if (read > mostBytesRead) answered();
      });
      for (const event of ["end", "error", "aborted"]) response.once(event, answered);
    });
    sent.on("error", (error) => {
      // Once there is a status, that counts, whatever becomes of the rest.
      answered();
      reject(error);
    });
    sent.end(body);
  });
}

function statusFault(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return `It answered ${status}: redirects are not followed.`;
  return `It answered ${status}.`;
}

function secondsIn(header: string | undefined): number | null {
  const seconds = Number(header ?? "");
  return header !== undefined && Number.isInteger(seconds) && seconds >= 0 ? seconds : null;
}

const unresolved = new Set(["ENOTFOUND", "ENODATA", "ESERVFAIL", "EREFUSED", "ETIMEOUT", "EBADNAME", "EAI_AGAIN"]);

function causeOf(error: NodeJS.ErrnoException, timeoutMilliseconds: number): string {
  if (error instanceof Refused) return error.message;
  if (["AbortError", "TimeoutError"].includes(error.name)) return `No answer within ${timeoutMilliseconds / 1000} s.`;
  if (unresolved.has(error.code ?? "")) return "The name does not resolve.";
  return `The connection failed${error.code ? `: ${error.code}` : ""}.`;
}
