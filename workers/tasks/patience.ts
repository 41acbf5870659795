/** Asking again for what was refused for a passing reason. */
import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "../../shared/errors.ts";

/** Each time after a longer pause. */
const mostTries = 4;
const firstPauseMilliseconds = 250;

/** Throws the last refusal, at once where `signal` is aborted. */
export async function askPatiently<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const mayPass = !(error instanceof ApiError) || error.shouldRetry;
      if (!mayPass || tries === mostTries || signal.aborted) throw error;
      await pause(firstPauseMilliseconds * 2 ** (tries - 1), undefined, { signal }).catch(() => {});
    }
  }
}

/** What cannot be interrupted is left to end by itself. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let abandon: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abandon = () => reject(signal.reason);
    signal.addEventListener("abort", abandon, { once: true });
    if (signal.aborted) abandon();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abandon);
    work.catch(() => {});
  }
}

/** What a client may be told of an error. */
export function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("internal_error", "Something went wrong on our side.", { cause: error });
}
