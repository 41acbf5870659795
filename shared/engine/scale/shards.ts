/** A batch cut into as many parts as there are devices. */
import type { Tensor } from "../dataTypes.ts";
import type { Node } from "../graph.ts";
import { mixSeeds } from "../random.ts";
import type { Dim } from "../shape.ts";
import type { Tensors } from "./replicaProtocol.ts";

/**
 * By part, what it is fed. Inputs whose first axis is `rows` are cut, in order, into parts as even as can be; the others
 * go to every part as they are, but for seeds (uint32 scalars), of which each part after the first gets one of its own:
 * noise is told apart by row, and rows are counted from 0 in every part. Throws RangeError where there are fewer rows than
 * parts, or where inputs disagree on the rows.
 */
export function shardBatch(batch: Tensors, parts: number, inputs: readonly Node[], rows: Dim = "batch"): Tensors[] {
  const types = new Map(inputs.map(({ name, type }) => [name!, type]));
  const isCut = (name: string) => types.get(name)?.shape[0] === rows;
  const isSeed = (name: string) => types.get(name)?.dataType === "uint32" && types.get(name)?.shape.length === 0;
  const lengths = new Set(Object.entries(batch).flatMap(([name, { shape }]) => (isCut(name) ? [shape[0]!] : [])));
  const [length = 0] = lengths;
  if (lengths.size !== 1)
    throw new RangeError(`a batch has one number of rows, not ${[...lengths].join(" and ") || "none"}`);
  if (length < parts) throw new RangeError(`${length} rows cannot be cut into ${parts} parts`);
  const start = (part: number) => Math.floor((part * length) / parts);
  const piece = (name: string, tensor: Tensor, part: number): Tensor => {
    if (isCut(name)) return rowsOf(tensor, start(part), start(part + 1));
    if (part === 0 || !isSeed(name)) return tensor;
    return { shape: [], data: Uint32Array.of(mixSeeds(Number(tensor.data[0]), part)) };
  };
  return Array.from({ length: parts }, (_, part) =>
    Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, piece(name, tensor, part)])),
  );
}

function rowsOf({ shape, data }: Tensor, from: number, to: number): Tensor {
  const width = data.length / shape[0]!;
  return { shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width) };
}
