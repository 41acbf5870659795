/** From parts to a file: checked before anything is copied, whole or not there, and made by one of those who ask. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { ApiError } from "../../shared/errors.ts";
import { newId, sameId } from "../../shared/ids.ts";
import type { FileRecord } from "../../shared/schemas/file.ts";
import type { CompleteUpload, PartRecord, UploadRecord } from "../../shared/schemas/upload.ts";
import { objectKeys } from "../../shared/stores/objects.ts";
import type { Stores } from "../../shared/stores/stores.ts";

export interface UploadAssembly {
  /** A part that has no bytes yet. Throws ApiError where the upload takes none any more. */
  newPart(upload: UploadRecord, fields: Pick<PartRecord, "bytes" | "is_linked">): Promise<PartRecord>;
  /** Throws ApiError naming what is wrong; undefined where somebody else was faster, with these parts or others. */
  makeFile(upload: UploadRecord, wish: CompleteUpload): Promise<FileRecord | undefined>;
  /** Removes the bytes of its parts. */
  clear(upload: UploadRecord): Promise<void>;
}

const mostParts = 1000;
const now = () => Math.floor(Date.now() / 1000);

export function createUploadAssembly({
  uploads,
  linkedParts,
  objects,
}: Pick<Stores, "uploads" | "linkedParts" | "objects">): UploadAssembly {
  const newPart: UploadAssembly["newPart"] = async (upload, fields) => {
    requirePending(upload);
    if ((await uploads.parts(upload, mostParts)).length >= mostParts) {
      throw new ApiError("invalid_value", `An upload has no more than ${mostParts} parts.`);
    }
    const { id: upload_id, project_id, expires_at_ttl } = upload;
    const id = newId("upload_part");
    const object_key = `${project_id}/uploads/${upload_id}/${id}`;
    const part: PartRecord = {
      ...{ id, object: "upload.part", created_at: now(), upload_id, project_id, object_key, expires_at_ttl },
      ...fields,
    };
    if (!(await uploads.addPart(upload, part))) throw changed((await uploads.get(project_id, upload_id)) ?? upload);
    return part;
  };

  async function* contentOf(parts: readonly PartRecord[]): AsyncGenerator<Uint8Array> {
    for (const [i, part] of parts.entries()) {
      const content = await (part.is_linked ? linkedParts : objects).get(part.object_key);
      if (!content) throw partMissing(i, part.id);
      yield* content as AsyncIterable<Uint8Array>;
    }
  }

  const assemble = async (upload: UploadRecord, parts: readonly PartRecord[], md5: string | undefined) => {
    const key = objectKeys.file(upload.project_id, `${fileIdOf(upload)}-${newId("attempt")}`);
    await uploads.beginFile(upload, key);
    const hash = createHash("md5");
    async function* hashed() {
      for await (const chunk of contentOf(parts)) {
        hash.update(chunk);
        yield chunk;
      }
    }
    const { bytes } = await objects.put(key, Readable.from(hashed(), { objectMode: false }));
    const refuse = async (message: string, param: string) => {
      await objects.delete(key);
      throw new ApiError("invalid_value", message, { param });
    };
    const digest = hash.digest("hex");
    if (bytes !== upload.bytes) await refuse(`The parts have ${bytes} bytes, not ${upload.bytes}.`, "part_ids");
    if (md5 && md5.toLowerCase() !== digest) await refuse(`The file's md5 is ${digest}, not ${md5}.`, "md5");
    return key;
  };

  /** Best done at once; what is left is cleared when its time comes. */
  const clear = async (upload: UploadRecord) => {
    const parts = await uploads.parts(upload, mostParts);
    await Promise.allSettled(parts.map(({ object_key }) => objects.delete(object_key)));
  };

  const makeFile: UploadAssembly["makeFile"] = async (upload, { part_ids, md5 }) => {
    requirePending(upload);
    const parts = inOrder(await uploads.parts(upload, mostParts), part_ids);
    requireBytes(upload, parts);
    const key = await assemble(upload, parts, md5).catch(async (refusal) => {
      // The faster one takes the parts away.
      if ((await uploads.get(upload.project_id, upload.id))?.status === "pending") throw refusal;
    });
    if (key === undefined) return undefined;
    const file = toFile(upload, key);
    const isDone = await uploads.complete(upload, part_ids, file);
    await (isDone ? clear(upload) : objects.delete(key));
    return isDone ? file : undefined;
  };

  return { newPart, makeFile, clear };
}

export const fileIdOf = ({ id }: Pick<UploadRecord, "id">) => sameId("file", id);

export function changed({ status }: UploadRecord): ApiError {
  return new ApiError("invalid_state", `The upload is ${status}.`);
}

export function requirePending(upload: UploadRecord): void {
  if (upload.status !== "pending") throw changed(upload);
  if (upload.expires_at <= now()) throw changed({ ...upload, status: "expired" });
}

function partMissing(i: number, id: string): ApiError {
  return new ApiError("invalid_value", `Nothing was uploaded as part '${id}'.`, { param: `part_ids[${i}]` });
}

function inOrder(parts: readonly PartRecord[], ids: readonly string[]): PartRecord[] {
  const byId = new Map(parts.map((part) => [part.id, part]));
  return ids.map((id, i) => {
    const param = `part_ids[${i}]`;
    if (ids.indexOf(id) !== i) throw new ApiError("invalid_value", `'${id}' is named twice.`, { param });
    const part = byId.get(id);
    if (!part) throw new ApiError("invalid_value", `The upload has no part '${id}'.`, { param });
    if (part.bytes === null) throw partMissing(i, id);
    return part;
  });
}

/** Before anything is copied. */
function requireBytes(upload: UploadRecord, parts: readonly PartRecord[]): void {
  const bytes = parts.reduce((sum, part) => sum + part.bytes!, 0);
  if (bytes === upload.bytes) return;
  throw new ApiError("invalid_value", `The parts have ${bytes} bytes, not ${upload.bytes}.`, { param: "part_ids" });
}

function toFile(upload: UploadRecord, object_key: string): FileRecord {
  const { bytes, filename, purpose, project_id, file_seconds } = upload;
  const created_at = now();
  const expires = file_seconds === null ? undefined : created_at + file_seconds;
  return {
    ...{ id: fileIdOf(upload), object: "file", bytes, created_at, filename, purpose, project_id, object_key },
    ...{ status: "processed", status_details: null, expires_at: expires ?? null, expires_at_ttl: expires },
  };
}
