/** Grey images of 28 x 28 in the IDX format that MNIST is published in, from the directory of shared data. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { philox, type Tensor } from "../../shared/engine/index.ts";
import { whereDataIsSought } from "./dataSets.ts";

export interface GreyImages {
  /** 0 to 255, [rows, 28, 28]. */
  readonly pixels: Uint8Array;
  /** [rows]. */
  readonly labels: Uint8Array;
}

export const side = 28;
const area = side * side;

/** Undefined where the set is not there. `part` is how the set's files begin. */
export function readImages(set: string, part: string): GreyImages | undefined {
  const path = (rest: string) => join(whereDataIsSought, set, `${part}-${rest}-ubyte.gz`);
  const [pixels, labels] = [path("images-idx3"), path("labels-idx1")];
  if (!existsSync(pixels) || !existsSync(labels)) return undefined;
  const after = (file: string, header: number) => gunzipSync(readFileSync(file)).subarray(header);
  return { pixels: after(pixels, 16), labels: after(labels, 8) };
}

/** How far an image seen in training may be from the one that was taken. Zero: not at all. */
export interface Variation {
  /** Pixels to each side. */
  readonly shift: number;
  /** Share of the size. */
  readonly zoom: number;
  /** Radians. */
  readonly turn: number;
  /** Deviations of the grey values. */
  readonly brightness: number;
}

export const unvaried: Variation = { shift: 0, zoom: 0, turn: 0, brightness: 0 };

export interface Scale {
  /** Of grey values from 0 to 1 over the training images. */
  readonly mean: number;
  readonly deviation: number;
}

/**
 * The rows asked for: image float32 [rows, 1, 28, 28], grey values of mean 0 and deviation 1, each image varied by
 * numbers that depend on `step` and its place alone; and labels int32 [rows].
 */
export function imageBatch(
  { pixels, labels }: GreyImages,
  rows: Int32Array,
  { mean, deviation }: Scale,
  { variation = unvaried, step = 0 } = {},
): Record<"image" | "labels", Tensor> {
  const data = new Float32Array(rows.length * area);
  for (const [i, row] of rows.entries()) {
    const image = pixels.subarray(row * area, (row + 1) * area);
    const { places, brightness } = vary(variation, step, i);
    for (let at = 0; at < area; at++) {
      data[i * area + at] = (places(image, at) / 255 - mean) / deviation + brightness;
    }
  }
  return {
    image: { shape: [rows.length, 1, side, side], data },
    labels: { shape: [rows.length], data: Int32Array.from(rows, (row) => labels[row]!) },
  };
}

type Read = (image: Uint8Array, at: number) => number;

/** Where a varied image's pixels lie in the one it was made of, between four of its own. */
function vary({ shift, zoom, turn, brightness }: Variation, step: number, place: number) {
  const [a, b, c, d] = philox([step, place, 0, 0], [0x696d6167, 0]).map(evenly);
  const [e] = philox([step, place, 1, 0], [0x696d6167, 0]).map(evenly);
  const scale = 1 + zoom * c!;
  const [cosine, sine] = [scale * Math.cos(turn * d!), scale * Math.sin(turn * d!)];
  const middle = (side - 1) / 2;
  const places: Read = (image, at) => {
    const [x, y] = [(at % side) - middle, Math.floor(at / side) - middle];
    return between(image, cosine * x - sine * y + middle + shift * a!, sine * x + cosine * y + middle + shift * b!);
  };
  return { places, brightness: brightness * e! };
}

/** A uint32 as a number from -1 to 1. */
const evenly = (bits: number) => (2 * bits) / 2 ** 32 - 1;

/** Bilinear; beyond the edge as at the edge. */
function between(image: Uint8Array, x: number, y: number): number {
  const [inX, inY] = [Math.min(Math.max(x, 0), side - 1), Math.min(Math.max(y, 0), side - 1)];
  const [left, top] = [Math.min(Math.floor(inX), side - 2), Math.min(Math.floor(inY), side - 2)];
  const [right, down] = [inX - left, inY - top];
  const at = top * side + left;
  const above = image[at]! * (1 - right) + image[at + 1]! * right;
  const below = image[at + side]! * (1 - right) + image[at + side + 1]! * right;
  return above * (1 - down) + below * down;
}
