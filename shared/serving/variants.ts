/** In which precision a base is served: what the deployment insists on, else what was measured, else as it is. */
import type { Precision } from "../engine/quantization/precision.ts";
import type { BaseContent, Variant } from "../schemas/baseContent.ts";

export interface PrecisionConfig {
  /** `auto` leaves it to each base. */
  readonly precision: Precision | "auto";
}

export function precisionOf({ variant }: Pick<BaseContent, "variant">, { precision }: PrecisionConfig): Precision {
  return precision === "auto" ? (variant?.chosen ?? "float32") : precision;
}

/** Without labels there is no accuracy to guard: then nearly every answer has to be the same. */
const leastAgreement = 0.995;

/** What gains less than a tenth is not worth another answer, and may be noise. */
const leastGain = 0.9;

/**
 * The fastest of those that cost no more accuracy than `tolerance`, in points of a hundred; where no labels were given, of
 * those that answer as float32 does for 99.5 % of the texts.
 */
export function chooseVariant(measured: Variant["measured"], tolerance: number): Precision {
  const exact = measured.find(({ precision }) => precision === "float32")!;
  const isGood = ({ precision, accuracy, agreement }: Variant["measured"][number]) =>
    precision === "float32" ||
    (accuracy === null || exact.accuracy === null
      ? agreement >= leastAgreement
      : accuracy >= exact.accuracy - tolerance / 100);
  const others = measured.filter((one) => isGood(one) && one.milliseconds < leastGain * exact.milliseconds);
  return [exact, ...others].reduce((best, one) => (one.milliseconds < best.milliseconds ? one : best)).precision;
}
