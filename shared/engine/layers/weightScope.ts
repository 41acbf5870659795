/** Weights by path, named as in a Hugging Face checkpoint: the file is the name mapping. */
import { type Node, parameter } from "../graph.ts";
import { formatShape, sameShape } from "../shape.ts";

/**
 * A weight is missing or of another shape than the architecture asks for; the message gives path, expected and actual
 * shape.
 */
export class WeightError extends Error {
  override name = "WeightError";
}

/** Shapes of the weights a checkpoint holds, by full name. */
export type KnownShapes = ReadonlyMap<string, readonly number[]>;

/** A linear layer's operands, as seen by whoever extends it. */
export interface LinearCall {
  /** Path of the layer, whose weight is `path.weight`. */
  readonly path: string;
  /** [..., inputs]. */
  readonly x: Node;
  readonly inputs: number;
  readonly outputs: number;
  /** How the layer's weight is stored: [outputs, inputs] as PyTorch's Linear, or [inputs, outputs]. */
  readonly stored: "outputs-first" | "inputs-first";
}

/** The number in a path of numbered layers, such as 3 in "encoder.layer.3.output.dense.weight"; nothing elsewhere. */
export function layerNumber(path: string): number | undefined {
  const found = /(?:^|\.)(?:layers?|h)\.(\d+)\./.exec(path)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** What is added to a linear layer's product, of shape [..., outputs]; undefined for a layer left as it is. */
export type LinearExtension = (call: LinearCall) => Node | undefined;

export class WeightScope {
  readonly path: string;
  readonly #known: KnownShapes | undefined;
  readonly #found: Map<string, Node>;
  readonly #extension: LinearExtension | undefined;

  /** Over a checkpoint's shapes, or, without them, over whatever the architecture asks for (a new model). */
  constructor(known?: KnownShapes, path = "", found = new Map<string, Node>(), extension?: LinearExtension) {
    this.path = path;
    this.#known = known;
    this.#found = found;
    this.#extension = extension;
  }

  /** The weights below `name`; dots in it go further down. */
  scope(name: string): WeightScope {
    return new WeightScope(this.#known, this.#full(name), this.#found, this.#extension);
  }

  /** The same weights, with every linear layer below offered to `extension`: how an adapter reaches any model. */
  extended(extension: LinearExtension): WeightScope {
    return new WeightScope(this.#known, this.path, this.#found, extension);
  }

  /** What the extension adds to the linear layer at this path, if there is one. */
  extend(call: Omit<LinearCall, "path">): Node | undefined {
    return this.#extension?.({ ...call, path: this.path });
  }

  /** The weight of that name as a parameter node, the same node each time. Throws WeightError where it does not fit. */
  get(name: string, shape: readonly number[]): Node {
    const path = this.#full(name);
    const expected = formatShape(shape);
    const actual = this.#known ? this.#known.get(path) : shape;
    if (!actual) throw new WeightError(`weight "${path}" ${expected} is not in the checkpoint`);
    if (!sameShape(actual, shape)) throw new WeightError(`weight "${path}" is ${formatShape(actual)}, not ${expected}`);
    const found = this.#found.get(path) ?? parameter(path, shape);
    if (!sameShape(found.type.shape, shape)) {
      throw new WeightError(
        `weight "${path}" was asked for as ${formatShape(found.type.shape)} and now as ${expected}`,
      );
    }
    this.#found.set(path, found);
    return found;
  }

  /** Every weight asked for so far through any scope of this tree, in the order of asking. */
  get parameters(): readonly Node[] {
    return [...this.#found.values()];
  }

  #full(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }
}
