/** Weights by name, as tensors to feed and as the plain data that a model stores. */
import type { Tensor, TypedArray } from "../dataTypes.ts";
import type { Node } from "../graph.ts";

/** Data by name as tensors of the parameters' shapes. */
export function tensorsOf(
  parameters: readonly Node[],
  data: Readonly<Record<string, TypedArray>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    parameters.map(({ name, type }) => [name!, { shape: type.shape as readonly number[], data: data[name!]! }]),
  );
}

/** Data by name, of the tensors that are chosen; by default all. */
export function dataOf<Data extends TypedArray = TypedArray>(
  tensors: Readonly<Record<string, Tensor>>,
  chosen: (name: string) => boolean = () => true,
): Record<string, Data> {
  const entries = Object.entries(tensors).filter(([name]) => chosen(name));
  return Object.fromEntries(entries.map(([name, { data }]) => [name, data as Data]));
}
