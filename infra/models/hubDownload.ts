/** A file of the hub on disk: what a cut connection left is gone on with, and nothing counts before its digest is right. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type Hub, type HubFile, type HubRepository, PassingFailure } from "./hub.ts";
import { Refusal } from "./refusal.ts";

export interface DownloadOptions {
  /** Told as bytes come; `bytes` are all that lie on disk. */
  onProgress?: (file: string, bytes: number, total: number | undefined) => void;
  /** Before the second try; doubled for each further one. */
  pauseMilliseconds?: number;
}

/** Tries in a row that may bring no further byte. */
const mostTries = 5;

/**
 * Puts the file at `path`; until it is whole and checked, it lies at `path` with `.part` behind it, where a later call
 * finds it. Throws Refusal on a wrong digest, and PassingFailure when the hub cannot be reached for long.
 */
export async function downloadFile(
  hub: Hub,
  repository: HubRepository,
  file: HubFile,
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  if ((await sizeOf(path)) !== undefined) return;
  const part = `${path}.part`;
  const linkedDigest = await persist(hub, { repository, file, part }, options);
  const expected = file.digest ?? linkedDigest;
  const [actual, bytes] = [await digestLike(expected, part), await sizeOf(part)];
  if (expected !== actual || (file.bytes !== undefined && file.bytes !== bytes)) {
    await rm(part);
    const promised = `the hub promises ${expected} of ${file.bytes} bytes`;
    throw new Refusal(`${file.name} of ${repository.name} has digest ${actual} and ${bytes} bytes, and ${promised}.`);
  }
  await rename(part, path);
}

interface Target {
  repository: HubRepository;
  file: HubFile;
  part: string;
}

/** Goes on until the file is as long as it should be. */
async function persist(hub: Hub, target: Target, options: DownloadOptions): Promise<string | undefined> {
  const { pauseMilliseconds = 1000 } = options;
  for (let tries = 1; ; tries++) {
    const before = (await sizeOf(target.part)) ?? 0;
    try {
      return await append(hub, target, before, options);
    } catch (error) {
      if (!(error instanceof PassingFailure)) throw error;
      if (((await sizeOf(target.part)) ?? 0) > before) tries = 1;
      if (tries >= mostTries) throw error;
      await pause(pauseMilliseconds * 2 ** (tries - 1));
    }
  }
}

/** Whose failure is this machine's own. */
const diskCalls = new Set<string | undefined>(["open", "write", "close"]);

/** Adds what is missing behind the first `have` bytes, or writes all of it where the server knows no ranges. */
async function append(
  hub: Hub,
  { repository, file, part }: Target,
  have: number,
  { onProgress = () => {} }: DownloadOptions,
): Promise<string | undefined> {
  const { response, linkedDigest } = await hub.open(repository, file.name, have);
  if (response.status === 416) {
    await response.body?.cancel();
    // There is nothing behind the bytes at hand: they are all, or another file's.
    return linkedDigest;
  }
  const start = response.status === 206 ? have : 0;
  const range = response.headers.get("content-range");
  if (response.status === 206 && !range?.startsWith(`bytes ${have}-`)) {
    throw new Refusal(`${file.name} of ${repository.name}: asked for bytes from ${have} on, the hub sent ${range}.`);
  }
  const length = response.headers.get("content-length");
  const total = file.bytes ?? (length === null ? undefined : start + Number(length));
  let bytes = start;
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      onProgress(file.name, bytes, total);
      done(null, chunk);
    },
  });
  try {
    await pipeline(bodyOf(response), counting, createWriteStream(part, { flags: start > 0 ? "a" : "w" }));
  } catch (error) {
    if (diskCalls.has((error as NodeJS.ErrnoException).syscall)) throw error;
    throw new PassingFailure(`${file.name}: the connection broke after ${bytes} bytes: ${(error as Error).message}`);
  }
  if (total !== undefined && bytes < total)
    throw new PassingFailure(`${file.name} ended after ${bytes} of ${total} bytes`);
  return linkedDigest;
}

function bodyOf(response: Response): Readable {
  return response.body ? Readable.fromWeb(response.body) : Readable.from([]);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

/** Of the same kind as `expected`, by its length; undefined where there is nothing to compare with. */
async function digestLike(expected: string | undefined, path: string): Promise<string | undefined> {
  if (expected === undefined) return undefined;
  const hash = createHash(expected.length === 40 ? "sha1" : "sha256");
  // As git names a blob.
  if (expected.length === 40) hash.update(`blob ${await sizeOf(path)}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
