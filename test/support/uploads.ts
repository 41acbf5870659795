/** Uploads that are ready to be completed. */
import { createHash } from "node:crypto";
import type { Deployment } from "./deployment.ts";

/** Of one part, by the names that requests have for what they need. */
export async function freshUpload({ client }: Pick<Deployment, "client">): Promise<Record<string, unknown>> {
  const content = '{"text":"a","label":"b"}\n';
  const wish = {
    bytes: content.length,
    filename: "rows.jsonl",
    mime_type: "text/plain",
    purpose: "fine-tune",
  } as const;
  const upload = await client().uploads.create(wish);
  const part = await client().uploads.parts.create(upload.id, { data: new File([content], "part") });
  return { uploads: upload.id, part_ids: [part.id], md5: createHash("md5").update(content).digest("hex") };
}
