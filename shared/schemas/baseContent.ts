/** The files of an imported base, whatever it is called: enough to fetch it by. */
import { z } from "@hono/zod-openapi";
import { precisions } from "../engine/quantization/precision.ts";

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

/** In which precision a base is served, and what that was chosen by. */
export const Variant = z.object({
  chosen: z.enum(precisions),
  /** How many it was measured by. */
  texts: z.int(),
  measured: z.array(
    z.object({
      precision: z.enum(precisions),
      /** Share of labelled texts that a linear head over its vectors gets right; null where no labels were given. */
      accuracy: z.number().nullable(),
      /** Share of texts that it answers as float32 does, see `agreement`. */
      agreement: z.number(),
      /** Of the model in memory, as a session is given it. */
      bytes: z.int(),
      /** For all texts that it was measured by. */
      milliseconds: z.number(),
    }),
  ),
});
export type Variant = z.infer<typeof Variant>;

export const BaseContent = z.object({
  /** Of names and digests, by `baseDigest`. */
  digest: Digest,
  files: z.array(BaseFile),
  /** Absent where nothing was measured. A tuned model keeps what its base had when it was tuned. */
  variant: Variant.optional(),
});
export type BaseContent = z.infer<typeof BaseContent>;

/** Of all files. */
export function bytesOf({ files }: Pick<BaseContent, "files">): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
