/** What the API tells about itself while it works; one subscriber turns it into log lines. */
import type { Log } from "../shared/log.ts";

export type RequestEvent =
  | {
      type: "answered";
      request_id: string;
      method: string;
      path: string;
      status: number;
      milliseconds: number;
      project_id: string | null;
    }
  | { type: "failed"; request_id: string; cause: unknown }
  | { type: "message_unsent"; job_id: string; cause: unknown };

export type Observe = (event: RequestEvent) => void;

export const toBoth =
  (one: Observe, other: Observe): Observe =>
  (event) => {
    one(event);
    other(event);
  };

type Levels = { [Type in RequestEvent["type"]]: "info" | "warn" | "error" };
const levels: Levels = { answered: "info", failed: "error", message_unsent: "warn" };

export function logRequests(log: Log): Observe {
  return ({ type, ...event }) => {
    const { cause, ...fields } = { cause: undefined, ...event };
    log[levels[type]](cause === undefined ? fields : { ...fields, err: cause }, type);
  };
}
