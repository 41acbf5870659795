/** Handwritten digits in the IDX format they are published in, from the directory of shared data. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Tensor } from "../../shared/engine/index.ts";
import { whereDataIsSought } from "./dataSets.ts";

export interface Digits {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export const side = 28;
const pixels = side * side;
const part = (name: string) => join(whereDataIsSought, "mnist", name);

/** Undefined where the set is not there. */
export function readDigits(which: "train" | "t10k"): Digits | undefined {
  const [images, labels] = [part(`${which}-images-idx3-ubyte.gz`), part(`${which}-labels-idx1-ubyte.gz`)];
  if (!existsSync(images) || !existsSync(labels)) return undefined;
  const after = (path: string, header: number) => gunzipSync(readFileSync(path)).subarray(header);
  return { images: after(images, 16), labels: after(labels, 8) };
}

/** The rows asked for: image float32 [rows, 1, 28, 28], grey values centred, and labels int32 [rows]. */
export function digitBatch({ images, labels }: Digits, rows: Iterable<number>): Record<"image" | "labels", Tensor> {
  const chosen = [...rows];
  const data = new Float32Array(chosen.length * pixels);
  for (const [i, row] of chosen.entries()) {
    for (let at = 0; at < pixels; at++) data[i * pixels + at] = images[row * pixels + at]! / 255 - 0.13;
  }
  return {
    image: { shape: [chosen.length, 1, side, side], data },
    labels: { shape: [chosen.length], data: Int32Array.from(chosen, (row) => labels[row]!) },
  };
}
