/** How long jobs take and what they read: the shape of it was measured once, the pace is that of the deployment's own jobs. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Pace } from "../schemas/budget.ts";

const Shape = z.strictObject({
  /** Whatever the size: fetching, starting a device, storing the model. */
  fixed_seconds: z.number().min(0),
  seconds_per_megabyte: z.number().min(0),
  tokens_per_byte: z.number().min(0),
  /** Of what writes. */
  output_tokens_per_byte: z.number().min(0).default(0),
  /** Passes where none are asked for; seconds and tokens are of one pass. */
  epochs: z.number().positive(),
});
export type Shape = z.infer<typeof Shape>;

/** Measured on two busy cores; see `shared/budget/README.md`. */
const shapes = z
  .record(z.string(), Shape)
  .parse(JSON.parse(readFileSync(new URL("./shapes.json", import.meta.url), "utf8")));

/** The first that is there. */
export function shapeOf(...names: string[]): Shape {
  const name = names.find((each) => Object.hasOwn(shapes, each));
  if (name === undefined) throw new Error(`Nothing is known of how long any of ${names.join(", ")} takes`);
  return shapes[name]!;
}

export interface Material {
  /** Of the file as it was uploaded. */
  bytes: number;
  epochs?: number | undefined;
}

export interface Estimate {
  tokens: number;
  output_tokens: number;
  seconds: number;
  /** Finished jobs that it goes by. */
  jobs: number;
}

const megabyte = 1e6;

/** The median ratio of what jobs took to what their shape says, so that one odd job does not count. */
export function estimate(shape: Shape, material: Material, paces: readonly Pace[]): Estimate {
  const plain = byShape(shape, material);
  const ratio = (of: keyof typeof plain) => median(paces.map((pace) => (pace[of] ?? 0) / byShape(shape, pace)[of]));
  return {
    tokens: Math.round(plain.tokens * ratio("tokens")),
    output_tokens: Math.round(plain.output_tokens * ratio("output_tokens")),
    seconds: Math.round(plain.seconds * ratio("seconds") * 1000) / 1000,
    jobs: paces.length,
  };
}

function byShape(shape: Shape, { bytes, epochs = shape.epochs }: Material) {
  const read = bytes * epochs;
  return {
    tokens: shape.tokens_per_byte * read,
    output_tokens: shape.output_tokens_per_byte * read,
    seconds: shape.fixed_seconds + (shape.seconds_per_megabyte * read) / megabyte,
  };
}

/** 1 where there are none. */
function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? 1 : (low + high) / 2;
}
