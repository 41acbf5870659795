/** Models that an operator gave to the whole deployment: checkpoints for every project to tune, and ONNX files to call. */
import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { BaseContent, type BaseFile } from "./baseContent.ts";
import { Model } from "./model.ts";
import { Signature } from "./tensor.ts";

/** What a base may be called: no upper case, and no colon, which parts the names of fine-tuned models. */
export const baseIdPattern = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** Set by the operator: workers answer for it, whatever its size. */
const heavy = z.boolean().optional();

/** The row of an imported checkpoint. It is written when all files are stored: a row says that they are there. */
export const BaseRecord = Model.extend({
  architecture: z.literal("pretrained"),
  heavy,
  ...BaseContent.shape,
});
export type BaseRecord = z.infer<typeof BaseRecord>;

/** The row of an ONNX file, which is called by its declared inputs and outputs and cannot be tuned. */
export const OnnxRecord = Model.extend({
  architecture: z.literal("onnx"),
  heavy,
  ...BaseContent.omit({ variant: true }).shape,
  ...Signature.shape,
});
export type OnnxRecord = z.infer<typeof OnnxRecord>;

export const ImportedRecord = z.discriminatedUnion("architecture", [BaseRecord, OnnxRecord]);
export type ImportedRecord = z.infer<typeof ImportedRecord>;

/** SHA-256, hex, over names and digests of the files, in the order of names. */
export function baseDigest(files: readonly Pick<BaseFile, "name" | "digest">[]): string {
  const lines = files.map(({ name, digest }) => `${name} ${digest}\n`).sort();
  return createHash("sha256").update(lines.join("")).digest("hex");
}
