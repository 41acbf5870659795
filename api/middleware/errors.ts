/** The one place that writes error bodies: whatever goes wrong leaves in OpenAI's wrapper, and causes stay here. */
import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { ApiError, type ErrorCode } from "../../shared/errors.ts";
import type { Observe } from "../requestEvents.ts";
import type { Env } from "../router.ts";

/** What the framework itself throws: for a body that is no JSON, and for one of another media type. */
const frameworkCodes: Partial<Record<number, { code: ErrorCode; message: string }>> = {
  400: { code: "invalid_json", message: "The request body is not valid JSON." },
  415: { code: "unsupported_media_type", message: "The request body must have content type 'application/json'." },
};

export function answerError(c: Context, error: ApiError): Response {
  // "Wait" is told from "pay": the SDK tries a 429 again unless told otherwise, whatever it means.
  const isWait = error.status === 429 && error.shouldRetry;
  c.header("x-should-retry", isWait ? "true" : error.shouldRetry ? undefined : "false");
  if (error.retryAfter !== undefined) c.header("retry-after", String(error.retryAfter));
  if (error.retryMilliseconds !== undefined) c.header("retry-after-ms", String(error.retryMilliseconds));
  return c.json(error.toBody(), error.status);
}

export function onError(observe: Observe): ErrorHandler<Env> {
  return (error, c) => {
    const answer = toApiError(error);
    // Nobody is left to whom it would matter, and going away is no fault of ours; who waited in vain may have had enough.
    const isGone = c.req.raw.signal.aborted && !isOutOfReach(error);
    if (answer.status >= 500 && !isGone) {
      observe({ type: "failed", request_id: c.var.requestId, cause: answer.cause ?? answer });
    }
    return answerError(c, answer);
  };
}

const beyondStorage =
  "A number in the request is too small or too large to be kept: between 1e-130 and 1e125 in magnitude, or 0, may be.";

/** The table has fewer numbers than JSON has, says so of any field, and then has written nothing. */
function isNumberBeyondStorage(error: unknown): boolean {
  const { name, message } = (error ?? {}) as Partial<Error>;
  return name === "ValidationException" && /Number (under|over)flow/.test(message ?? "");
}

const busy =
  /^(TimeoutError|Throttling.*|ProvisionedThroughputExceeded.*|RequestLimitExceeded|SlowDown|InternalServerError)$/;
const noLine = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/;

/** Table, queue or bucket do not answer, or have too much to do, however often they were asked. */
function isOutOfReach(error: unknown): boolean {
  const { name = "", code = "", $metadata } = (error ?? {}) as { name?: string; code?: string; $metadata?: object };
  return $metadata !== undefined && (busy.test(name) || noLine.test(String(code)));
}

/** Whatever was thrown, as what may leave: causes stay inside. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isOutOfReach(error)) {
    const message = "What keeps the data does not answer just now; try again in a moment.";
    return new ApiError("overloaded", message, { cause: error });
  }
  if (isNumberBeyondStorage(error)) return new ApiError("invalid_value", beyondStorage, { cause: error });
  const known = error instanceof HTTPException ? frameworkCodes[error.status] : undefined;
  if (known) return new ApiError(known.code, known.message, { cause: error });
  return new ApiError("internal_error", "Something went wrong on our side. The request id helps us to find it.", {
    cause: error,
  });
}
