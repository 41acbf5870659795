/** The files of an imported base, whatever it is called: enough to fetch it by. */
import { z } from "@hono/zod-openapi";

const Digest = z.string().regex(/^[0-9a-f]{64}$/);

export const BaseFile = z.object({
  /** A plain file name, as the checkpoint's authors gave it. */
  name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/),
  object_key: z.string(),
  /** SHA-256, hex. */
  digest: Digest,
  bytes: z.int(),
});
export type BaseFile = z.infer<typeof BaseFile>;

export const BaseContent = z.object({
  /** Of names and digests, by `baseDigest`. */
  digest: Digest,
  files: z.array(BaseFile),
});
export type BaseContent = z.infer<typeof BaseContent>;
