/** Takes a request's body in: decodes its framing, stores it as a blob, and verifies every checksum the client gave. */
import { createHash } from "node:crypto";
import type { Segment } from "./blobs.ts";
import { decodeChunked } from "./chunked.ts";
import { createDigest, type Digest } from "./digests.ts";
import { S3Error } from "./errors.ts";
import type { S3Request } from "./request.ts";
import type { S3Store } from "./store.ts";

export type Checksums = Record<string, string>;
/** `etag` is the body's MD5 in hex; `checksums` maps an algorithm such as `crc32` to its base64 value. */
export type StoredBody = { segment: Segment; etag: string; checksums: Checksums };
type Headers = S3Request["headers"];
type Limits = { minimum?: number; maximum?: number };

/** S3's limit for a single PUT or part. */
const fiveGibibytes = 5 * 1024 ** 3;
/** More than any XML document that S3 takes: a DeleteObjects of 1,000 keys or a completion of 10,000 parts. */
const documentBytes = 4 * 1024 ** 2;
const checksumAlgorithms = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

function namedAlgorithm(headers: Headers): string | undefined {
  return checksumAlgorithms.find(
    (name) => headers[`x-amz-checksum-${name}`] !== undefined || headers["x-amz-trailer"] === `x-amz-checksum-${name}`,
  );
}

/** Computes what the client declared while the body passes through, and compares at the end. */
class Verifier {
  readonly #headers: Headers;
  readonly #trailers = new Map<string, string>();
  readonly #md5 = createHash("md5");
  readonly #payload: Digest | undefined;
  readonly #algorithm: string | undefined;
  readonly #checksum: Digest | undefined;
  #size = 0;

  constructor(headers: Headers, algorithm: string | undefined) {
    this.#headers = headers;
    this.#algorithm = algorithm;
    this.#checksum = algorithm ? createDigest(algorithm) : undefined;
    if (/^[0-9a-f]{64}$/.test(headers["x-amz-content-sha256"] ?? "")) this.#payload = createDigest("sha256");
  }

  async *pass(source: AsyncIterable<Buffer>, limits: Limits): AsyncGenerator<Buffer> {
    const maximum = limits.maximum ?? fiveGibibytes;
    const framed = this.#headers["x-amz-content-sha256"]?.startsWith("STREAMING-");
    for await (const chunk of framed ? decodeChunked(source, this.#trailers) : source) {
      this.#size += chunk.length;
      if (this.#size > maximum) throw new S3Error("EntityTooLarge");
      this.#md5.update(chunk);
      this.#payload?.update(chunk);
      this.#checksum?.update(chunk);
      yield chunk;
    }
    if (this.#size < (limits.minimum ?? 0)) throw new S3Error("EntityTooSmall");
  }

  finish(): { size: number; etag: string; checksums: Checksums } {
    const declaredSize = this.#headers["x-amz-decoded-content-length"];
    if (declaredSize !== undefined && Number(declaredSize) !== this.#size) throw new S3Error("IncompleteBody");
    if (this.#payload && this.#payload.bytes().toString("hex") !== this.#headers["x-amz-content-sha256"]) {
      throw new S3Error("XAmzContentSHA256Mismatch");
    }
    const md5 = this.#md5.digest();
    const declaredMd5 = this.#headers["content-md5"];
    if (declaredMd5 && declaredMd5 !== md5.toString("base64")) throw new S3Error("BadDigest");
    return { size: this.#size, etag: md5.toString("hex"), checksums: this.#finishChecksum() };
  }

  #finishChecksum(): Checksums {
    if (!this.#algorithm || !this.#checksum) return {};
    const value = this.#checksum.bytes().toString("base64");
    const name = `x-amz-checksum-${this.#algorithm}`;
    const declared = this.#headers[name] ?? this.#trailers.get(name);
    if (declared !== undefined && declared !== value) {
      throw new S3Error(
        "BadDigest",
        `The ${this.#algorithm.toUpperCase()} you specified did not match what we received.`,
      );
    }
    return { [this.#algorithm]: value };
  }
}

/**
 * Streams a body into a new blob. `algorithm` asks for a checksum that the headers do not name. When the body is cut
 * off, too long, too short or not what its checksums say, nothing is left behind.
 */
export async function receiveBody(
  { blobs }: S3Store,
  source: AsyncIterable<Buffer>,
  headers: Headers,
  options: Limits & { algorithm?: string } = {},
): Promise<StoredBody> {
  const verifier = new Verifier(headers, namedAlgorithm(headers) ?? options.algorithm);
  const blob = await blobs.write(verifier.pass(source, options));
  try {
    const { size, etag, checksums } = verifier.finish();
    return { segment: { blob, size }, etag, checksums };
  } catch (error) {
    await blobs.remove(blob);
    throw error;
  }
}

/** A small body, such as an XML document, verified the same way. */
export async function receiveText(request: S3Request): Promise<string> {
  const verifier = new Verifier(request.headers, namedAlgorithm(request.headers));
  const chunks: Buffer[] = [];
  for await (const chunk of verifier.pass(request.stream, { maximum: documentBytes })) chunks.push(chunk);
  verifier.finish();
  return Buffer.concat(chunks).toString("utf8");
}
