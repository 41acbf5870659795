/** The requests in a batch's input file: each line read, checked, and parted into what it names. */
import { createReadStream } from "node:fs";
import { z } from "zod";
import { decodeUtf8, maxLineBytes, splitLines } from "../../../shared/data/lines.ts";
import { ApiError } from "../../../shared/errors.ts";
import type { AnyEndpoint } from "../../../shared/inference/endpoints.ts";
import type { BatchError, BatchRecord } from "../../../shared/schemas/batch.ts";
import { toApiError } from "../../../shared/validation.ts";
import { PermanentFailure } from "../../task.ts";
import type { WorkerContext } from "../context.ts";
import type { Attempt } from "./attempt.ts";

export interface RawRequest {
  /** Number of its line, 1 for the first. */
  line: number;
  /** Undefined where the line cannot be read: longer than 4 MiB, or not UTF-8. */
  text: string | undefined;
}

export interface BatchRequest {
  line: number;
  custom_id: string;
  body: Record<string, unknown>;
}

const Line = z.object({
  custom_id: z.string().min(1).max(512),
  method: z.literal("POST"),
  url: z.string(),
  body: z.record(z.string(), z.unknown()),
});

/** Fetched as a whole: a batch may read on it for a day, and no connection lasts as long. */
export async function fetchInput(context: WorkerContext, batch: BatchRecord, path: string): Promise<void> {
  const { files, objects } = context.stores;
  const file = await files.get(batch.project_id, batch.input_file_id);
  if (!file) {
    const message = `The input file ${batch.input_file_id} was deleted before all of it was run.`;
    throw new PermanentFailure("file_deleted", message, "input_file_id");
  }
  await objects.download(file.object_key, path);
}

/** From line `first` on; lines of white space are none. */
export async function* readRequests({ input }: Attempt, first = 1): AsyncGenerator<RawRequest> {
  for await (const { number, bytes } of splitLines(createReadStream(input))) {
    if (number < first) continue;
    const text = bytes === null ? undefined : decodeUtf8(bytes);
    if (text === undefined || text.trim()) yield { line: number, text };
  }
}

/** Throws ApiError naming the field at fault, but for the body, which is the endpoint's to judge. */
export function parseRequest({ line, text }: RawRequest, endpoint: AnyEndpoint): BatchRequest {
  if (text === undefined) {
    throw new ApiError("invalid_json", `The line is longer than ${maxLineBytes} bytes, or not UTF-8.`);
  }
  const value = parseJson(text);
  const parsed = Line.safeParse(value);
  if (!parsed.success) throw toApiError(parsed.error.issues[0]!, value);
  const { custom_id, url, body } = parsed.data;
  if (url !== endpoint.path) {
    const message = `'url' is '${url.slice(0, 200)}', but the batch is for '${endpoint.path}'.`;
    throw new ApiError("invalid_value", message, { param: "url" });
  }
  return { line, custom_id, body };
}

/** What the endpoint reads from the body; throws ApiError naming the field at fault, `prefix` before it. */
export function parseBody({ body }: BatchRequest, { schema }: AnyEndpoint, prefix: readonly string[] = []): unknown {
  if (body.stream === true) {
    const message = "A batch is answered line by line: 'stream' must be false or left out.";
    throw new ApiError("invalid_value", message, { param: [...prefix, "stream"].join(".") });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw toApiError(
    { ...issue, path: [...prefix, ...issue.path] },
    prefix.reduceRight<unknown>((inner, name) => ({ [name]: inner }), body),
  );
}

export function toBatchError(error: ApiError, line: number | null): BatchError {
  return { code: error.code, message: error.message.slice(0, 1000), param: error.param?.slice(0, 200) ?? null, line };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new ApiError("invalid_json", "The line is not a JSON object.");
}
