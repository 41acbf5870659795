/** A model with its weights as one ONNX file that any ONNX Runtime runs, without this engine and without other files. */
import { ExportError, toOnnx } from "../onnx.ts";
import { type Int8Options, int8Model } from "../quantization/frozenInt8.ts";
import { type LanguageModel, textInputs } from "./languageModel.ts";
import { buildModel, type HeadRequest } from "./pretrained.ts";

export interface ExportOptions extends HeadRequest, Pick<Int8Options, "keep"> {
  /** Whether the file takes `token_type_ids` too, for pairs of texts. Default false. */
  readonly pairs?: boolean;
  /**
   * "int8" keeps matrices and tables of 64 or more rows and columns in a quarter of the room, and answers faster and a
   * little differently; weights chosen by `keep` stay exact. Default "float32".
   */
  readonly precision?: "float32" | "int8";
}

// A protobuf message holds less than 2 GiB.
const maxBytes = 2 ** 31 - 1;

/**
 * A file with the inputs of `textInputs` and one output, `output`, of the head's shape. A low-rank adapter is merged
 * first (`mergeLora`). Throws ExportError naming a weight that is missing, or for more data than one file holds.
 */
export function exportModel(
  model: LanguageModel,
  weights: Readonly<Record<string, Float32Array>>,
  { pairs = false, precision = "float32", keep, ...request }: ExportOptions,
): Uint8Array {
  const { output, scope } = buildModel(model, request, { inputs: textInputs({ pairs }) });
  const missing = scope.parameters.find(({ name }) => !Object.hasOwn(weights, name!));
  if (missing) throw new ExportError(`weight "${missing.name}" is missing`);
  const exact = { outputs: { output }, initializers: weights };
  const file = precision === "int8" ? int8Model(exact, { tables: true, keep }) : exact;
  const bytes = Object.values(file.initializers).reduce((total, { byteLength }) => total + byteLength, 0);
  if (bytes > maxBytes) throw new ExportError(`${bytes} bytes of weights do not fit into one ONNX file`);
  return toOnnx(file);
}
