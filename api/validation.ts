/** Refuses requests that break their contract. */
import type { ValidationTargets } from "hono";
import type { z } from "zod";
import { ApiError } from "../shared/errors.ts";
import { toApiError } from "../shared/validation.ts";

type Result = { target: keyof ValidationTargets; data?: unknown; success: boolean; error?: z.ZodError };

/** Throws when a part of the request breaks its contract. */
export function refuseInvalid(result: Result): void {
  if (result.success || !result.error) return;
  const issue = result.error.issues[0];
  throw issue ? toApiError(issue, result.data) : new ApiError("invalid_value", "The request is invalid.");
}
