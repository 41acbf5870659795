/** Tensors as the Open Inference Protocol names and writes them (KServe, "V2 inference protocol"). */
import { z } from "@hono/zod-openapi";
import type { DataType } from "../engine/dataTypes.ts";

/** The protocol's names of element types. */
export const datatypes = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT32: "uint32",
  INT8: "int8",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  FP32: "float32",
  FP64: "float64",
} as const satisfies Record<string, DataType>;

export type Datatype = keyof typeof datatypes;
export const datatypeNames = Object.keys(datatypes) as [Datatype, ...Datatype[]];

/** What a model declares of an input or output. */
export const TensorSignature = z.object({
  name: z.string(),
  datatype: z.enum(datatypeNames),
  /** Sizes, names of sizes that each request chooses, and -1 for one without a name. */
  shape: z.array(z.union([z.int().min(-1), z.string()])),
});
export type TensorSignature = z.infer<typeof TensorSignature>;

export const Signature = z.object({ inputs: z.array(TensorSignature), outputs: z.array(TensorSignature) });
export type Signature = z.infer<typeof Signature>;
