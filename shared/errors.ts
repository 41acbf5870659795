/** The one error class that reaches a client, and the one table that gives each code its status and type. */
import type { BudgetQuote } from "./schemas/budget.ts";

/**
 * Published, machine-readable codes. `type` is OpenAI's vocabulary; the status decides the SDK's error class. The third is
 * the seconds after which trying again may help, for `retry-after`.
 */
const codes = {
  invalid_api_key: [401, "authentication_error"],
  mismatched_project: [401, "authentication_error"],
  permission_denied: [403, "permission_error"],
  missing_scope: [403, "permission_error"],
  admin_key_required: [403, "permission_error"],
  project_key_required: [403, "permission_error"],
  invalid_json: [400, "invalid_request_error"],
  invalid_encoding: [400, "invalid_request_error"],
  invalid_value: [400, "invalid_request_error"],
  invalid_type: [400, "invalid_request_error"],
  missing_required_parameter: [400, "invalid_request_error"],
  unknown_parameter: [400, "invalid_request_error"],
  context_length_exceeded: [400, "invalid_request_error"],
  invalid_file: [400, "invalid_request_error"],
  invalid_multipart: [400, "invalid_request_error"],
  not_found: [404, "not_found_error"],
  model_not_found: [404, "not_found_error"],
  unknown_url: [404, "invalid_request_error"],
  method_not_allowed: [405, "invalid_request_error"],
  invalid_state: [409, "invalid_request_error"],
  request_in_progress: [409, "invalid_request_error", 1],
  encryption_key_deleted: [410, "invalid_request_error"],
  payload_too_large: [413, "invalid_request_error"],
  unsupported_media_type: [415, "invalid_request_error"],
  idempotency_key_reused: [422, "invalid_request_error"],
  queue_full: [429, "rate_limit_error", 1],
  rate_limit_exceeded: [429, "rate_limit_error"],
  insufficient_quota: [429, "insufficient_quota"],
  answer_pending: [504, "server_error"],
  overloaded: [503, "server_error", 1],
  encryption_key_unavailable: [503, "server_error"],
  internal_error: [500, "server_error"],
} as const satisfies Record<string, readonly [status: number, type: string, retryAfter?: number]>;

export type ErrorCode = keyof typeof codes;
export type ErrorStatus = (typeof codes)[ErrorCode][0];

export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string; quote?: BudgetQuote };
}

export interface ApiErrorOptions {
  param?: string;
  cause?: unknown;
  /** After how many milliseconds trying again may help. */
  retryMilliseconds?: number;
  /** What there is no money for. */
  quote?: BudgetQuote;
}

/**
 * An answer to the client: `message` is for people and public, `cause` is for logs and never leaves.
 * `param` names the field at fault, in the client's own spelling (`questions[0].choices[2].value`).
 */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly quote: BudgetQuote | undefined;
  /** Where it is known better than the code tells. */
  readonly #retryMilliseconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "ApiError";
    this.code = code;
    this.param = options.param ?? null;
    this.quote = options.quote;
    this.#retryMilliseconds = options.retryMilliseconds;
  }

  get status(): ErrorStatus {
    return codes[this.code][0];
  }

  /** 409 is retried by the SDK unless told otherwise; a wrong state does not mend itself. */
  get shouldRetry(): boolean {
    return this.status >= 500 || this.retryAfter !== undefined;
  }

  /** Seconds; undefined where nobody can say. */
  get retryAfter(): number | undefined {
    return this.retryMilliseconds === undefined ? undefined : Math.ceil(this.retryMilliseconds / 1000);
  }

  get retryMilliseconds(): number | undefined {
    const [, , seconds]: readonly [number, string, number?] = codes[this.code];
    return this.#retryMilliseconds ?? (seconds === undefined ? undefined : seconds * 1000);
  }

  toBody(): ErrorBody {
    const { message, param, code, quote } = this;
    return { error: { message, type: codes[code][1], param, code, ...(quote && { quote }) } };
  }
}

/** A stranger's id and a missing one get the same answer, so that ids of other projects cannot be probed. */
export function notFound(noun: string, id: string, param = "id"): ApiError {
  return new ApiError("not_found", `No such ${noun}: '${id}'.`, { param });
}
