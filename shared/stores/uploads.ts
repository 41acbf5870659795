/** Rows of uploads and their parts. Whatever becomes of an upload, the bytes of its parts go when its time is over. */

import type { Readable } from "node:stream";
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { FileRecord } from "../schemas/file.ts";
import { PartRecord, UploadRecord } from "../schemas/upload.ts";
import { fileWrite } from "./files.ts";
import { type Leftover, leftoverGone, leftoverWrite } from "./leftovers.ts";
import { type Condition, type Table, type TransactWrite, tableSchema } from "./table.ts";

export interface Uploads {
  create(record: UploadRecord): Promise<void>;
  get(project: string, id: string): Promise<UploadRecord | undefined>;
  /** Before its bytes are stored; false where the upload takes none any more. */
  addPart(upload: UploadRecord, part: PartRecord): Promise<boolean>;
  /** With what was stored. */
  partStored(part: PartRecord, bytes: number): Promise<boolean>;
  /** Every part, oldest first. */
  parts(upload: Pick<UploadRecord, "project_id" | "id">, limit: number): Promise<PartRecord[]>;
  /** Before the file's bytes are stored under the key: they go in a day, should it not become a file. */
  beginFile(upload: UploadRecord, object_key: string): Promise<void>;
  /** The file and that the upload is completed, at once; false where it is not pending any more. */
  complete(upload: UploadRecord, part_ids: readonly string[], file: FileRecord): Promise<boolean>;
  /** False where it is not pending any more. */
  cancel(upload: UploadRecord): Promise<boolean>;
}

/** Parts that go into the bucket past the API, as they are. */
export interface LinkedParts {
  /** Takes exactly so many bytes, until `seconds` are over. */
  link(key: string, options: { bytes: number; seconds: number }): Promise<string>;
  /** Undefined when nothing was sent. */
  get(key: string): Promise<Readable | undefined>;
}

const daySeconds = 24 * 60 * 60;
const keyOf = ({ project_id, id }: Pick<UploadRecord, "project_id" | "id">) => ({
  pk: `${project_id}#file_upload`,
  sk: id,
});
const partition = ({ project_id, id }: Pick<UploadRecord, "project_id" | "id">) =>
  `${project_id}#file_upload_part#${id}`;
const partKey = ({ project_id, upload_id, id }: PartRecord) => ({
  pk: partition({ project_id, id: upload_id }),
  sk: id,
});
const pending: Condition = {
  expression: "#status = :pending",
  names: { "#status": "status" },
  values: { ":pending": "pending" },
};
const leftoverOf = (project_id: string, id: string, object_key: string): Leftover => {
  return { project_id, id, object_keys: [object_key], feedback_of: null };
};

export function createUploads(table: Table): Uploads {
  return {
    async create(record) {
      await table.create(keyOf(record), record);
    },
    async get(project_id, id) {
      const item = await table.get(keyOf({ project_id, id }));
      return item && UploadRecord.parse(item);
    },
    addPart: (upload, part) =>
      table.transact([
        { type: "check", key: keyOf(upload), condition: pending },
        { type: "create", key: partKey(part), item: part },
        // A link that was given out is good until the upload expires, and what is under way then ends later.
        leftoverWrite(leftoverOf(part.project_id, part.id, part.object_key), upload.expires_at + daySeconds),
      ]),
    partStored: (part, bytes) =>
      table.update(partKey(part), { bytes }, { expression: `attribute_exists(${tableSchema.keys.partition})` }),
    async parts(upload, limit) {
      const items = await table.query(partition(upload), { limit });
      return items.map((item) => PartRecord.parse(item));
    },
    async beginFile({ project_id }, object_key) {
      const due = Math.floor(Date.now() / 1000) + daySeconds;
      await table.transact([leftoverWrite(leftoverOf(project_id, object_key, object_key), due)]);
    },
    complete(upload, part_ids, file) {
      const done: TransactWrite = {
        ...{ type: "update", key: keyOf(upload), condition: pending },
        changes: { status: "completed", part_ids },
      };
      const { project_id, object_key } = file;
      return table.transact([done, fileWrite(file), leftoverGone(leftoverOf(project_id, object_key, object_key))]);
    },
    cancel: (upload) => table.update(keyOf(upload), { status: "cancelled" }, pending),
  };
}

export function createLinkedParts(s3: S3Client, bucket: string): LinkedParts {
  // By default the SDK would sign the checksum of the body it does not have into the link.
  const presigning = new S3Client({ requestChecksumCalculation: "WHEN_REQUIRED" });
  return {
    link(Key, { bytes, seconds }) {
      const command = new PutObjectCommand({ Bucket: bucket, Key, ContentLength: bytes });
      return getSignedUrl(presigning, command, {
        expiresIn: seconds,
        signableHeaders: new Set(["host", "content-length"]),
      });
    },
    async get(Key) {
      try {
        return (await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))).Body as Readable;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
  };
}
