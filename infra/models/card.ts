/** What an operator is told of an imported model beside its files: how to call it, or how it is served. */
import type { ImportedRecord } from "../../shared/schemas/base.ts";
import type { TensorSignature } from "../../shared/schemas/tensor.ts";

/** Lines, indented. */
export function cardOf(record: ImportedRecord): string[] {
  return record.architecture === "onnx" ? signatureLines(record.inputs, record.outputs) : [];
}

function signatureLines(inputs: readonly TensorSignature[], outputs: readonly TensorSignature[]): string[] {
  const line =
    (kind: string) =>
    ({ name, datatype, shape }: TensorSignature) =>
      `  ${kind} ${name}: ${datatype} [${shape.join(", ")}]`;
  return [...inputs.map(line("input")), ...outputs.map(line("output"))];
}
