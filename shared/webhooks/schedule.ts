/** When a delivery that was not taken is tried again: over three days, ever later, and never all at once. */
import type { DeliveryOutcome } from "../stores/webhookDeliveries.ts";

const minute = 60;
const hour = 60 * minute;
/** Seconds after each attempt, the schedule that the Standard Webhooks specification gives as its example. */
const pauses = [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
/** Of a pause, either way. */
const jitter = 0.2;
/** A receiver may ask for no more. */
const longestAsked = 24 * hour;

/** An endpoint that took nothing for so long is disabled. */
export const failingSeconds = 5 * 24 * hour;

export interface Tried {
  /** Whether it was answered with a 2xx. */
  delivered: boolean;
  /** Attempts so far, this one included. */
  tries: number;
  /** What the receiver asked for, in seconds. */
  retryAfter: number | null;
}

/** `now` in milliseconds; `random` from 0 to less than 1. */
export function outcomeOf(
  { delivered, tries, retryAfter }: Tried,
  now: number,
  random = Math.random(),
): DeliveryOutcome {
  if (delivered) return { status: "succeeded", due: null };
  const pause = pauses[tries - 1];
  if (pause === undefined) return { status: "failed", due: null };
  const jittered = pause * (1 - jitter + 2 * jitter * random);
  return {
    status: "pending",
    due: now + Math.round(1000 * Math.max(jittered, Math.min(retryAfter ?? 0, longestAsked))),
  };
}
