/** What an operator is told of an imported model beside its files: how to call it, or how it is served. */
import type { ImportedRecord } from "../../shared/schemas/base.ts";
import type { Variant } from "../../shared/schemas/baseContent.ts";
import type { TensorSignature } from "../../shared/schemas/tensor.ts";

/** Lines, indented. */
export function cardOf(record: ImportedRecord): string[] {
  if (record.architecture === "onnx") return signatureLines(record.inputs, record.outputs);
  return record.variant ? variantLines(record.variant) : ["  served in float32: other precisions were not measured"];
}

function variantLines({ chosen, texts, measured }: Variant): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return measured.map(({ precision, accuracy, agreement, bytes, milliseconds }) => {
    const speed = `${Math.round((1000 * texts) / milliseconds)} texts/s`;
    const judged = accuracy === null ? "" : `, accuracy ${percent(accuracy)}`;
    const like = precision === "float32" ? "" : `, ${percent(agreement)} as in float32`;
    const served = precision === chosen ? "  <- served" : "";
    return `  ${precision}: ${(bytes / 1e6).toFixed(1)} MB, ${speed}${judged}${like}${served}`;
  });
}

function signatureLines(inputs: readonly TensorSignature[], outputs: readonly TensorSignature[]): string[] {
  const line =
    (kind: string) =>
    ({ name, datatype, shape }: TensorSignature) =>
      `  ${kind} ${name}: ${datatype} [${shape.join(", ")}]`;
  return [...inputs.map(line("input")), ...outputs.map(line("output"))];
}
