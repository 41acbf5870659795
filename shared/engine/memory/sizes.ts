/** How many bytes a node's value takes, once symbolic dimensions have sizes. */
import { dataTypes } from "../dataTypes.ts";
import { describe, type Node } from "../graph.ts";
import type { Dim } from "../shape.ts";

/** Sizes by the name of a symbolic dimension, such as `{ batch: 16, sequence: 128 }`. */
export type Bindings = Readonly<Record<string, number>>;

/** Throws RangeError naming a dimension that has no size. */
export function bytesOf(node: Node, bindings: Bindings): number {
  const { shape, dataType } = node.type;
  const elements = shape.reduce<number>((total, dim) => total * sizeOf(dim, bindings, node), 1);
  return elements * dataTypes[dataType].array.BYTES_PER_ELEMENT;
}

/** Names are sums of products, such as "2*batch*sequence" or "batch+1": see `product` and `concat`. */
function sizeOf(dim: Dim, bindings: Bindings, node: Node): number {
  if (typeof dim === "number") return dim;
  const factor = (name: string) => {
    const size = Number.isNaN(Number(name)) ? bindings[name] : Number(name);
    if (size === undefined) throw new RangeError(`dimension "${name}" of ${describe(node)} has no size`);
    return size;
  };
  const terms = dim.split("+").map((term) => term.split("*").reduce((total, name) => total * factor(name), 1));
  return terms.reduce((total, term) => total + term, 0);
}
