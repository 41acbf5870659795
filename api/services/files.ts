/** Files: the bytes are durable before the row says that they exist. */
import type { Readable } from "node:stream";
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type { FileRecord } from "../../shared/schemas/file.ts";
import { type Page, toPage } from "../../shared/schemas/list.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Files } from "../../shared/stores/files.ts";
import { objectKeys, type StoredObject } from "../../shared/stores/objects.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { acceptedFields, parseFields, safeFilename } from "./fileFields.ts";
import { readUpload, type Upload } from "./multipart.ts";
import { type LimitLookUp, quotaPassed } from "./rateLimits.ts";
import { type Attempt, idFor } from "./requestClaims.ts";

/** Larger files are fetched from the bucket itself: a Lambda may answer no more than 6 MB, in base64. */
const largestStreamed = 4 * 1024 * 1024;
const linkSeconds = 300;

export type FileContent = { file: FileRecord } & ({ link: string } | { open(): Promise<Readable> });

export interface FileService {
  create(project: Project, upload: Upload, attempt: Attempt): Promise<FileRecord>;
  get(project: Project, id: string): Promise<FileRecord>;
  list(project: Project, query: ListFiles): Promise<Page<FileRecord>>;
  content(project: Project, id: string): Promise<FileContent>;
  delete(project: Project, id: string): Promise<void>;
}

export interface ListFiles {
  limit: number;
  order: "asc" | "desc";
  after?: string;
  purpose?: FileRecord["purpose"];
}

export function createFileService(
  { files, objects, storedBytes }: Pick<Stores, "files" | "objects" | "storedBytes">,
  maxBytes: number,
  limits: Pick<LimitLookUp, "of">,
): FileService {
  const get: FileService["get"] = async (project, id) => {
    const file = isId("file", id) ? await files.get(project.id, id) : undefined;
    if (!file || !isLive(file)) throw notFound("file", id);
    return file;
  };

  /** What does not say how large it is may be as large as any. */
  const requireRoom = async (project: Project, id: string, { declaredBytes }: Upload) => {
    const quota = (await limits.of(project.id)).max_stored_bytes;
    const bytes = declaredBytes ?? maxBytes;
    if (await storedBytes.reserve(project.id, { id, bytes, quota })) return;
    throw quotaPassed({ bytes, stored: await storedBytes.of(project.id), quota });
  };

  return {
    get,
    async create(project, upload, attempt) {
      const id = idFor("file", attempt);
      const key = objectKeys.file(project.id, id);
      const accepted = { fileBytes: maxBytes, fields: acceptedFields };
      try {
        const parts = await readUpload(upload, accepted, async (content, fieldsSoFar) => {
          if ("purpose" in fieldsSoFar) parseFields(fieldsSoFar);
          await requireRoom(project, id, upload);
          return objects.put(key, content);
        });
        const record = await toRecord(project, id, key, parts).catch(async (refusal) => {
          if (parts.file) await objects.delete(key);
          throw refusal;
        });
        await files.create(record);
        return record;
      } finally {
        await storedBytes.release(project.id, id);
      }
    },
    async list(project, query) {
      return toPage(await listLive(files, project.id, query), query.limit);
    },
    async content(project, id) {
      const file = await get(project, id);
      if (file.bytes > largestStreamed) {
        const link = await objects.link(file.object_key, { filename: file.filename, seconds: linkSeconds });
        if (link !== undefined) return { file, link };
      }
      const open = async () => {
        const content = await objects.get(file.object_key);
        if (!content) throw notFound("file", id);
        return content;
      };
      return { file, open };
    },
    async delete(project, id) {
      const file = await get(project, id);
      if (!(await files.delete(project.id, id))) throw notFound("file", id);
      await objects.delete(file.object_key);
    },
  };
}

type Parts = Awaited<ReturnType<typeof readUpload<StoredObject>>>;

async function toRecord(project: Project, id: string, key: string, parts: Parts): Promise<FileRecord> {
  const { fields, file, problem } = parts;
  if (problem) throw problem;
  const { purpose, expiresAfter } = parseFields(fields);
  if (!file) throw new ApiError("missing_required_parameter", "Missing required parameter: 'file'.", { param: "file" });
  if (file.stored.bytes === 0) throw new ApiError("invalid_file", "The file is empty.", { param: "file" });
  const created = Math.floor(Date.now() / 1000);
  const expires = expiresAfter === undefined ? undefined : created + expiresAfter;
  return {
    id,
    object: "file",
    bytes: file.stored.bytes,
    created_at: created,
    filename: safeFilename(file.filename),
    purpose,
    status: "processed",
    status_details: null,
    expires_at: expires ?? null,
    expires_at_ttl: expires,
    project_id: project.id,
    object_key: key,
  };
}

/** DynamoDB deletes expired rows some time later; they are gone for clients at once. */
function isLive(file: FileRecord): boolean {
  return file.expires_at == null || file.expires_at > Date.now() / 1000;
}

/** One more than the limit, if there are so many. */
async function listLive(files: Files, project: string, query: ListFiles): Promise<FileRecord[]> {
  const found: FileRecord[] = [];
  let after = query.after;
  for (;;) {
    const limit = query.limit + 1 - found.length;
    const batch = await files.list(project, { ...query, limit, after });
    found.push(...batch.filter(isLive));
    if (batch.length < limit || found.length > query.limit) return found;
    after = batch.at(-1)?.id;
  }
}
