/** Uploads: files of any size in parts. Completed once, whoever asks how often and dies in between. */
import { ApiError, notFound } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type {
  CompleteUpload,
  CreatePartLink,
  CreateUpload,
  PartRecord,
  Upload,
  UploadPartLink,
  UploadRecord,
} from "../../shared/schemas/upload.ts";
import type { StoredBytes } from "../../shared/stores/storedBytes.ts";
import type { Stores } from "../../shared/stores/stores.ts";
import { safeFilename } from "./fileFields.ts";
import { readUpload, type Upload as SentBody } from "./multipart.ts";
import { type LimitLookUp, quotaPassed } from "./rateLimits.ts";
import { type Attempt, idFor } from "./requestClaims.ts";
import { changed, createUploadAssembly, fileIdOf, requirePending } from "./uploadAssembly.ts";

export interface UploadService {
  create(project: Project, wish: CreateUpload, attempt: Attempt): Promise<Upload>;
  addPart(project: Project, id: string, body: SentBody): Promise<PartRecord>;
  /** A part whose bytes go straight into the bucket. */
  linkPart(project: Project, id: string, wish: CreatePartLink): Promise<UploadPartLink>;
  complete(project: Project, id: string, wish: CompleteUpload): Promise<Upload>;
  cancel(project: Project, id: string): Promise<Upload>;
}

const lifeSeconds = 60 * 60;
/** Rows outlive what they tell of: a completion that is asked for again is answered again. */
const keptSeconds = 24 * 60 * 60;
/** As OpenAI has it. A gateway in front of a Lambda takes less. */
const largestPart = 64 * 1024 * 1024;

const now = () => Math.floor(Date.now() / 1000);

type Dependencies = Pick<Stores, "uploads" | "linkedParts" | "files" | "objects" | "storedBytes">;

export function createUploadService(
  { uploads, linkedParts, files, objects, storedBytes }: Dependencies,
  maxBytes: number,
  limits: Pick<LimitLookUp, "of">,
): UploadService {
  const find = async (project: Project, id: string): Promise<UploadRecord> => {
    const upload = isId("upload", id) ? await uploads.get(project.id, id) : undefined;
    if (!upload) throw notFound("upload", id);
    return upload;
  };
  const assembly = createUploadAssembly({ uploads, linkedParts, objects });
  const wasChanged = async (project: Project, id: string) => changed(await find(project, id));

  return {
    async create(project, wish, attempt) {
      const { bytes, filename, purpose, expires_after } = wish;
      if (bytes > maxBytes) {
        throw new ApiError("payload_too_large", `A file has no more than ${maxBytes} bytes.`, { param: "bytes" });
      }
      const created_at = now();
      const expires_at = created_at + lifeSeconds;
      const record: UploadRecord = {
        ...{ id: idFor("upload", attempt), object: "upload", bytes, created_at, filename: safeFilename(filename) },
        ...{ purpose, status: "pending", expires_at, project_id: project.id, part_ids: null },
        ...{ file_seconds: expires_after?.seconds ?? null, expires_at_ttl: expires_at + keptSeconds },
      };
      await requireRoom(record, storedBytes, (await limits.of(project.id)).max_stored_bytes);
      await uploads.create(record);
      return { ...record, file: null };
    },
    async addPart(project, id, body) {
      const accepted = { fileBytes: Math.min(largestPart, maxBytes), fields: [], file: "data" };
      // A refusal in the midst of it: some clients hear of one only when all they have to send was read.
      const { file, problem } = await readUpload(body, accepted, async (content) => {
        const part = await assembly.newPart(await find(project, id), { bytes: null, is_linked: false });
        return { part, ...(await objects.put(part.object_key, content, { transient: "upload_part" })) };
      });
      const isEmpty = file?.stored.bytes === 0;
      if (file && (problem || isEmpty)) await objects.delete(file.stored.part.object_key);
      if (problem) throw problem;
      if (!file || isEmpty) {
        throw new ApiError("missing_required_parameter", "Missing required parameter: 'data'.", { param: "data" });
      }
      const { part, bytes } = file.stored;
      if (!(await uploads.partStored(part, bytes))) throw await wasChanged(project, id);
      return part;
    },
    async linkPart(project, id, { bytes }) {
      const upload = await find(project, id);
      const part = await assembly.newPart(upload, { bytes, is_linked: true });
      const { created_at, expires_at } = { ...part, expires_at: upload.expires_at };
      const url = await linkedParts.link(part.object_key, { bytes, seconds: Math.max(1, expires_at - now()) });
      return { id: part.id, object: "upload.part_link", created_at, upload_id: id, method: "PUT", url, expires_at };
    },
    async complete(project, id, wish) {
      let upload = await find(project, id);
      if (upload.status === "pending") {
        const file = await assembly.makeFile(upload, wish);
        if (file) {
          await storedBytes.release(project.id, file.id);
          return { ...upload, status: "completed", file };
        }
        upload = await find(project, id);
      }
      if (upload.status !== "completed" || upload.part_ids?.join() !== wish.part_ids.join()) throw changed(upload);
      return { ...upload, file: (await files.get(project.id, fileIdOf(upload))) ?? null };
    },
    async cancel(project, id) {
      const upload = await find(project, id);
      if (upload.status !== "cancelled") {
        requirePending(upload);
        if (!(await uploads.cancel(upload))) throw await wasChanged(project, id);
        await storedBytes.release(project.id, fileIdOf(upload));
        await assembly.clear(upload);
      }
      return { ...upload, status: "cancelled", file: null };
    },
  };
}

/** Held until it is a file, is cancelled, or its time is over. */
async function requireRoom(upload: UploadRecord, storedBytes: StoredBytes, quota: number): Promise<void> {
  const { project_id, bytes } = upload;
  if (await storedBytes.reserve(project_id, { id: fileIdOf(upload), bytes, quota })) return;
  throw quotaPassed({ bytes, stored: await storedBytes.of(project_id), quota });
}
