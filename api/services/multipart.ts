/** Reads a multipart upload as a stream: its one file goes straight to where it is stored, its fields are collected. */
import { once } from "node:events";
import type { Readable } from "node:stream";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { ApiError } from "../../shared/errors.ts";

export interface Upload {
  contentType: string | undefined;
  body: ReadableStream<Uint8Array> | null;
  /** Of all of it, a little more than the file's; undefined where the client does not say. */
  declaredBytes?: number | undefined;
}

export interface UploadLimits {
  fileBytes: number;
  /** Names of the fields there may be, besides the file. */
  fields: readonly string[];
  /** Name of the part that is the file. Default: `file`. */
  file?: string;
}

export type Fields = Partial<Record<string, string>>;

/** How many times the largest upload is read on after a problem. */
const patience = 8;

/** Keeps what it reads, and is called with the fields that came before the file; others may follow. */
export type Store<Stored> = (content: Readable, fieldsSoFar: Fields) => Promise<Stored>;

export interface UploadParts<Stored> {
  fields: Fields;
  file: { filename: string; stored: Stored } | undefined;
  /** The first thing that was wrong; the file may have been stored all the same. */
  problem: unknown;
}

/** Resolves when everything is read and `store` is done. Tells of problems instead of throwing, so that callers tidy up. */
export async function readUpload<Stored>(
  upload: Upload,
  limits: UploadLimits,
  store: Store<Stored>,
): Promise<UploadParts<Stored>> {
  const parser = newParser(upload, limits);
  const stop = new AbortController();
  const fail = (problem: unknown) => stop.abort(problem);
  const fields = collectFields(parser, limits, fail);
  let file: Promise<UploadParts<Stored>["file"]> | undefined;

  // Declared as a string, but a part may have no filename.
  parser.on("file", (name, stream, filename: string | undefined) => {
    stream.on("error", () => {});
    stream.on("limit", () => fail(tooLarge(limits)));
    stop.signal.addEventListener("abort", () => stream.destroy(stop.signal.reason));
    if (name !== fileName(limits)) return fail(unexpected(name));
    file = store(stream, { ...fields }).then((stored) => ({ filename: filename ?? "", stored }));
    file.catch(fail);
  });
  await pump(upload.body!, parser, patience * limits.fileBytes, stop.signal).catch((cause) => fail(malformed(cause)));
  const stored = await file?.catch(() => undefined);
  return { fields, file: stored, problem: stop.signal.aborted ? stop.signal.reason : undefined };
}

function newParser(upload: Upload, limits: UploadLimits): BusboyInstance {
  if (!/^multipart\/form-data\b/i.test(upload.contentType ?? "")) {
    throw new ApiError("unsupported_media_type", "Files are uploaded as content type 'multipart/form-data'.");
  }
  const param = fileName(limits);
  if (!upload.body) throw new ApiError("missing_required_parameter", "The upload has no file.", { param });
  try {
    return new Busboy({
      headers: { "content-type": upload.contentType! },
      limits: { files: 1, fields: limits.fields.length + 1, fieldSize: 1024, fileSize: limits.fileBytes },
      isPartAFile: (name, _contentType, filename) => name === fileName(limits) || filename !== undefined,
    });
  } catch (cause) {
    throw malformed(cause);
  }
}

function collectFields(parser: BusboyInstance, limits: UploadLimits, fail: (problem: unknown) => void): Fields {
  const fields: Fields = {};
  parser.on("field", (name, value, _nameTruncated, valueTruncated) => {
    if (!limits.fields.includes(name)) return fail(unexpected(name));
    if (valueTruncated) return fail(new ApiError("invalid_value", `'${name}' is too long.`, { param: name }));
    fields[name] = value;
  });
  parser.on("fieldsLimit", () => fail(new ApiError("invalid_multipart", "The upload has too many fields.")));
  const param = fileName(limits);
  parser.on("filesLimit", () => fail(new ApiError("invalid_multipart", "Send one file at a time.", { param })));
  return fields;
}

/**
 * After a problem the rest is read and thrown away: some clients read the answer only when they have sent everything, and
 * a connection that is closed meanwhile tells them nothing.
 */
async function pump(body: ReadableStream<Uint8Array>, parser: BusboyInstance, wasteBytes: number, stop: AbortSignal) {
  const stopped = new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
  const broken = new Promise<never>((_, reject) => parser.on("error", reject));
  const finished = once(parser, "finish");
  broken.catch(() => {});
  finished.catch(() => {});
  let wasted = 0;
  for await (const chunk of body) {
    if (stop.aborted) {
      wasted += chunk.length;
      if (wasted > wasteBytes) return;
    } else if (!parser.write(chunk)) {
      await Promise.race([once(parser, "drain"), broken, stopped]);
    }
  }
  if (stop.aborted) return;
  parser.end();
  await Promise.race([finished, broken, stopped]);
}

function malformed(cause: unknown): ApiError {
  return new ApiError("invalid_multipart", "The upload is not well-formed multipart, or broke off.", { cause });
}

function unexpected(name: string | undefined): ApiError {
  if (!name) return new ApiError("invalid_multipart", "A part of the upload has no name.");
  return new ApiError("unknown_parameter", `Unknown parameter: '${name}'.`, { param: name });
}

const fileName = ({ file = "file" }: Pick<UploadLimits, "file">) => file;

function tooLarge(limits: UploadLimits): ApiError {
  const message = `The file is larger than ${limits.fileBytes} bytes.`;
  return new ApiError("payload_too_large", message, { param: fileName(limits) });
}
