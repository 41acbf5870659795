/** The precisions of a base beside each other, measured on this machine, and the one that is served. */
import { openEncoder } from "../../shared/engine/models/adaptedBase.ts";
import { agreement } from "../../shared/engine/quantization/agreement.ts";
import { headAccuracies } from "../../shared/engine/quantization/headAccuracy.ts";
import { precisions } from "../../shared/engine/quantization/precision.ts";
import type { VariantReading } from "../../shared/engine/quantization/variantReading.ts";
import { type Device, DeviceError, startDevice } from "../../shared/engine/runtime/device.ts";
import type { Variant } from "../../shared/schemas/baseContent.ts";
import { chooseVariant } from "../../shared/serving/variants.ts";
import { calibrationTexts } from "./calibrationTexts.ts";
import { type GuardTexts, readGuard } from "./guardFile.ts";
import { Refusal } from "./refusal.ts";

export interface Guard extends GuardTexts {
  /** Points of a hundred that a precision may cost of accuracy. */
  readonly tolerance: number;
}

/** As many as the machine has cores. */
const everyCore = 0;
const usualTolerance = 0.3;

/** From the options of the same names; `guard` is a file of texts, with labels or without. Throws Refusal. */
export async function openGuard({ guard, tolerance }: { guard?: string; tolerance?: string }): Promise<Guard> {
  const points = tolerance === undefined ? usualTolerance : Number(tolerance);
  if (tolerance?.trim() === "" || !(points >= 0 && points <= 100)) {
    throw new Refusal(`--tolerance takes points of a hundred, such as 0.3, not "${tolerance}".`);
  }
  const texts = guard === undefined ? { texts: calibrationTexts, labels: null, classes: 0 } : await readGuard(guard);
  return { ...texts, tolerance: points };
}

/** How a base of a directory is best served. Throws Refusal where it does not run as it is. */
export async function measureVariants(directory: string, guard: Guard): Promise<Variant> {
  const { encode } = await openEncoder(directory);
  const readings = await readAll(directory, guard.texts.map(encode));
  const accuracies = await accuraciesOf(guard, readings);
  const exact = readings[0]!;
  const measured = readings.map((reading, i) => ({
    precision: reading.precision,
    accuracy: accuracies?.[i] ?? null,
    agreement: agreement(reading, exact, guard.texts.length),
    bytes: reading.bytes,
    milliseconds: Math.round(reading.milliseconds * 1000) / 1000,
  }));
  return { chosen: chooseVariant(measured, guard.tolerance), texts: guard.texts.length, measured };
}

type Reading = VariantReading & Pick<Variant["measured"][number], "precision">;

/** float32 first. A precision that does not run, such as for want of memory, is left out. */
async function readAll(directory: string, texts: readonly Int32Array[]): Promise<Reading[]> {
  const readings: Reading[] = [];
  let device: Device | undefined;
  try {
    for (const precision of precisions) {
      if (!device?.alive) device = startDevice({ threads: everyCore });
      try {
        readings.push({ precision, ...(await device.call("measure", { directory, texts, precision })) });
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        if (precision === "float32") throw new Refusal(`The base does not run: ${error.message.split("\n", 1)[0]}`);
      }
    }
    return readings;
  } finally {
    device?.kill();
  }
}

async function accuraciesOf({ labels, classes }: GuardTexts, readings: readonly Reading[]): Promise<number[] | null> {
  if (!labels) return null;
  const exact = readings[0]!.vectors;
  return headAccuracies(
    { labels, classes, exact },
    readings.map(({ vectors }) => vectors),
    2,
  );
}
