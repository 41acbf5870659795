/** The door to the one S3 bucket. Every key begins with the project's id, save those of the deployment's imported bases. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NoSuchUpload,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { openBody } from "./objectBody.ts";
import { type Transient, tagging } from "./transient.ts";

export interface StoredObject {
  bytes: number;
  /** SHA-256 of the content, hex. */
  digest: string;
}

export interface PutOptions {
  contentType?: string;
  signal?: AbortSignal;
  /** Absent: it stays until somebody deletes it. */
  transient?: Transient;
}

/** There is no such object. */
export class ObjectMissing extends Error {}

export interface Objects {
  /** Streams; an upload that breaks off leaves nothing behind. */
  put(key: string, content: Readable, options?: PutOptions): Promise<StoredObject>;
  putFile(key: string, path: string, options?: PutOptions): Promise<StoredObject>;
  /** Undefined when there is no such object. */
  get(key: string): Promise<Readable | undefined>;
  /** Throws ObjectMissing, or where the object differs from the digest it is expected to have. */
  download(key: string, path: string, digest?: string): Promise<StoredObject>;
  delete(key: string): Promise<void>;
  /** A link that needs no key and expires after `seconds`; undefined where the bucket has it sealed, and only `get` opens it. */
  link(key: string, options: { filename: string; seconds: number }): Promise<string | undefined>;
  /** By key, those whose key begins so. */
  list(prefix: string, after?: string): AsyncGenerator<ListedObject>;
}

export interface ListedObject {
  key: string;
  /** Unix time in seconds. */
  stored_at: number;
}

export const objectKeys = {
  file: (project: string, file: string) => `${project}/files/${file}`,
  checkpoint: (project: string, job: string, step: number, attempt: string) =>
    `${project}/jobs/${job}/checkpoints/step-${step}-${attempt}.safetensors`,
  model: (project: string, job: string, attempt: string) => `${project}/models/${job}-${attempt}.safetensors`,
  /** By content: versions with the same rows share it. */
  dataset: (project: string, digest: string) => `${project}/datasets/${digest}.jsonl`,
  /** What the label doctor found, where that is much. */
  labelDoctor: (project: string, report: string) => `${project}/label-doctor/${report}.json`,
  /** What a teacher said of a job's texts. */
  labelled: (project: string, job: string, attempt: string) => `${project}/jobs/${job}/labelled-${attempt}.jsonl`,
  /** A file of a base that the project pre-trained. */
  projectBase: (project: string, job: string, attempt: string, name: string) =>
    `${project}/bases/${job}-${attempt}/${name}`,
  /** Of one attempt, so that a worker that lost its lease never writes over its successor's. */
  batchPart: (project: string, batch: string, first: number, attempt: string, kind: "output" | "errors") =>
    `${project}/batches/${batch}/${String(first).padStart(8, "0")}-${attempt}.${kind}.jsonl`,
  /** `part` is `request`, or the attempt that answered. */
  answer: (project: string, answer: string, part: string) => `${project}/answers/${answer}/${part}.json`,
  inference: (project: string, inference: string, part: "input" | "output") =>
    `${project}/inferences/${inference}/${part}.json`,
  feedback: (project: string, feedback: string) => `${project}/feedback/${feedback}.json`,
  /** What an eval run is given and makes. */
  evalRun: (project: string, run: string, name: string) => `${project}/evals/${run}/${name}`,
  /** By content, so that an import over another one, or one that was killed, never mixes two checkpoints. */
  base: (id: string, digest: string, name: string) => `bases/${id}/${digest}/${name}`,
};

export function createObjects(s3: S3Client, bucket: string): Objects {
  /** Whether the object is whole, though completing its upload failed: sent again, it is an upload that is no more. */
  const isComplete = async (error: unknown, key: string, { bytes }: StoredObject): Promise<boolean> => {
    if (!(error instanceof NoSuchUpload) || (error.$metadata.attempts ?? 1) < 2) return false;
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return ContentLength === bytes;
  };

  const put: Objects["put"] = async (key, content, options = {}) => {
    const meter = digesting();
    const upload = new Upload({
      client: s3,
      params: {
        ...{ Bucket: bucket, Key: key, Body: meter.stream, ContentType: options.contentType },
        Tagging: options.transient && tagging(options.transient),
      },
      partSize: 8 * 1024 * 1024,
      queueSize: 2,
    });
    // Whichever side breaks must break the other, or it waits for ever; the source's own error is the one to report.
    // A broken source ends the upload by itself: `upload.abort()` would not wait until the stored parts are gone.
    const feeding = pipeline(content, meter.stream, { signal: options.signal });
    const uploading = upload.done().catch(async (error) => {
      if (await isComplete(error, key, meter.result()).catch(() => false)) return;
      meter.stream.destroy(error);
      throw error;
    });
    const results = await Promise.allSettled([feeding, uploading]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
    return meter.result();
  };

  const get: Objects["get"] = async (key) => {
    try {
      return await openBody(s3, { Bucket: bucket, Key: key });
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };

  return {
    put,
    get,
    putFile: (key, path, options) => put(key, createReadStream(path), options),
    download: downloading(get),
    async delete(key) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
    link(key, { filename, seconds }) {
      const ResponseContentDisposition = `attachment; filename*=UTF-8''${encodeURIComponent(filename)}`;
      const command = new GetObjectCommand({ Bucket: bucket, Key: key, ResponseContentDisposition });
      return getSignedUrl(s3, command, { expiresIn: seconds });
    },
    async *list(Prefix, after) {
      for (let StartAfter = after; ; ) {
        const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix, StartAfter }));
        for (const { Key, LastModified } of page.Contents ?? []) {
          yield { key: Key!, stored_at: secondsOf(LastModified) };
          StartAfter = Key;
        }
        if (!page.IsTruncated) return;
      }
    },
  };
}

const secondsOf = (time: Date | undefined) => Math.floor((time?.getTime() ?? 0) / 1000);

/** Of whatever opens objects. */
export function downloading(get: Objects["get"]): Objects["download"] {
  return async (key, path, digest) => {
    const body = await get(key);
    if (!body) throw new ObjectMissing(`Object ${key} is missing`);
    const meter = digesting();
    await pipeline(body, meter.stream, createWriteStream(path));
    const stored = meter.result();
    if (digest !== undefined && stored.digest !== digest) {
      throw new Error(
        `Object ${key} has digest ${stored.digest}, expected ${digest} (${(await stat(path)).size} bytes)`,
      );
    }
    return stored;
  };
}

/** Counts and hashes what flows through. */
export function digesting(): { stream: Transform; result(): StoredObject } {
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, result: () => ({ bytes, digest: hash.copy().digest("hex") }) };
}
