/** In which precision a base is served: what the deployment insists on, else what was measured, else as it is. */
import type { Precision } from "../engine/quantization/precision.ts";
import type { BaseContent } from "../schemas/baseContent.ts";

export interface PrecisionConfig {
  /** `auto` leaves it to each base. */
  readonly precision: Precision | "auto";
}

export function precisionOf({ variant }: Pick<BaseContent, "variant">, { precision }: PrecisionConfig): Precision {
  return precision === "auto" ? (variant?.chosen ?? "float32") : precision;
}
