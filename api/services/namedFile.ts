/** Files that a request names as its material. */
import { ApiError } from "../../shared/errors.ts";
import { isId } from "../../shared/ids.ts";
import type { FileRecord } from "../../shared/schemas/file.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { Files } from "../../shared/stores/files.ts";

/** Throws ApiError naming `param` where the project has no such file, or has it for another purpose. */
export async function requireFile(
  files: Pick<Files, "get">,
  project: Pick<Project, "id">,
  id: string,
  { param, purpose }: { param: string; purpose: FileRecord["purpose"] },
): Promise<FileRecord> {
  const file = isId("file", id) ? await files.get(project.id, id) : undefined;
  if (!file || (file.expires_at != null && file.expires_at <= Date.now() / 1000)) {
    throw new ApiError("invalid_value", `No such file: '${id}'.`, { param });
  }
  if (file.purpose === purpose) return file;
  const message = `File '${id}' has purpose '${file.purpose}'; it must be uploaded with purpose '${purpose}'.`;
  throw new ApiError("invalid_value", message, { param });
}
