/** Imported base models: checkpoints that an operator gave to the whole deployment, for every project to tune. */
import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { Model } from "./model.ts";

/** What a base may be called: no upper case, and no colon, which parts the names of fine-tuned models. */
export const baseIdPattern = /^[a-z0-9][a-z0-9._-]{0,99}$/;

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

/** The row of an imported base. It is written when all files are stored: a row says that they are there. */
export const BaseRecord = Model.extend({
  architecture: z.literal("pretrained"),
  /** Of the content, by `baseDigest`. */
  digest: Digest,
  files: z.array(BaseFile),
});
export type BaseRecord = z.infer<typeof BaseRecord>;

/** SHA-256, hex, over names and digests of the files, in the order of names. */
export function baseDigest(files: readonly Pick<BaseFile, "name" | "digest">[]): string {
  const lines = files.map(({ name, digest }) => `${name} ${digest}\n`).sort();
  return createHash("sha256").update(lines.join("")).digest("hex");
}
