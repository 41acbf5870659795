/** The SDK as customers have it, over a line that tells the ledger what came of each request. */
import OpenAI from "openai";
import type { Ledger, Player } from "./reliabilityLedger.ts";

export interface Line {
  /** Where a request goes, such as `http://127.0.0.1:41234`: another one for each, as behind a load balancer. */
  origin(): string;
  ledger: Ledger;
}

/** Sent again by the SDK itself, so often that a process which was killed is back meanwhile. */
const maxRetries = 6;
const timeout = 40_000;
const anywhere = "http://anywhere.invalid";

export function clientOf(player: Player, apiKey: string, line: Line): OpenAI {
  const observed: typeof fetch = async (input, init) => {
    const { pathname, search } = new URL(String(input));
    const asked = { marker: player.marker, method: init?.method ?? "GET", path: pathname };
    try {
      const response = await fetch(`${line.origin()}${pathname}${search}`, init);
      const bytes = await response.arrayBuffer();
      const { status, headers } = response;
      const requestId = headers.get("x-request-id");
      const byBucket = response.redirected;
      line.ledger.hear({ ...asked, status, requestId, byBucket }, Buffer.from(bytes).toString());
      return new Response(status === 204 ? null : bytes, response);
    } catch (error) {
      line.ledger.attempts.push({ ...asked, status: null, requestId: null });
      throw error;
    }
  };
  return new OpenAI({ apiKey, baseURL: `${anywhere}/v1`, maxRetries, timeout, fetch: observed });
}
