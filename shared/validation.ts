/** Turns what zod found into the one error a client reads: which field, and what is wrong with it. */
import type { z } from "zod";
import { ApiError, type ErrorCode } from "./errors.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** `["questions", 0, "choices"]` is `questions[0].choices`. */
export function fieldPath(path: Path): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i ? "." : ""}${String(part)}`)).join("");
}

export function toApiError(outer: Issue, data: unknown): ApiError {
  const issue = innermost(outer);
  const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const path = [...issue.path, ...unknown];
  const code = codeOf(issue, valueAt(data, issue.path));
  if (path.length === 0) return new ApiError(code, `The request body must be an object. ${issue.message}.`);
  const param = fieldPath(path);
  return new ApiError(code, message(code, param, issue), { param });
}

function codeOf(issue: Issue, value: unknown): ErrorCode {
  if (issue.code === "unrecognized_keys") return "unknown_parameter";
  if (value === undefined) return "missing_required_parameter";
  return isTypeIssue(issue) ? "invalid_type" : "invalid_value";
}

function message(code: ErrorCode, param: string, issue: Issue): string {
  if (code === "unknown_parameter") return `Unknown parameter: '${param}'.`;
  if (code === "missing_required_parameter") return `Missing required parameter: '${param}'.`;
  return `Invalid ${code === "invalid_type" ? "type" : "value"} for '${param}': ${explain(issue)}.`;
}

/** Of a union nothing fits, every branch has a word: name them all. */
function explain(issue: Issue): string {
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue.message;
  return issue.errors.map((branch) => branch[0]?.message).join(", or ");
}

function isTypeIssue(issue: Issue): boolean {
  if (issue.code === "invalid_type") return true;
  return issue.code === "invalid_union" && issue.errors.length > 0;
}

/** The branch of a union that the client meant is the one that read furthest before it failed. */
function innermost(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const found = issue.errors
    .map((branch) => branch[0])
    .filter((inner) => inner !== undefined)
    .map((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }))
    .filter((inner) => inner.path.length > issue.path.length);
  return found.sort((a, b) => b.path.length - a.path.length)[0] ?? issue;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    data,
  );
}
