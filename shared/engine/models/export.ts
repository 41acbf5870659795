/** A model with its weights as one ONNX file that any ONNX Runtime runs, without this engine and without other files. */
import { ExportError, toOnnx } from "../onnx.ts";
import { type LanguageModel, textInputs } from "./languageModel.ts";
import { buildModel, type HeadRequest } from "./pretrained.ts";

export interface ExportOptions extends HeadRequest {
  /** Whether the file takes `token_type_ids` too, for pairs of texts. Default false. */
  readonly pairs?: boolean;
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
  { pairs = false, ...request }: ExportOptions,
): Uint8Array {
  const { output, scope } = buildModel(model, request, { inputs: textInputs({ pairs }) });
  const missing = scope.parameters.find(({ name }) => !Object.hasOwn(weights, name!));
  if (missing) throw new ExportError(`weight "${missing.name}" is missing`);
  const bytes = Object.values(weights).reduce((total, { byteLength }) => total + byteLength, 0);
  if (bytes > maxBytes) throw new ExportError(`${bytes} bytes of weights do not fit into one ONNX file`);
  return toOnnx({ outputs: { output }, initializers: weights });
}
