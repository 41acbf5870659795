/** How one op is declared: its shape rule, its attributes and its gradient stand together. */
import type { Attributes, Node, TensorType } from "./graph.ts";
import { ShapeError } from "./shape.ts";

/**
 * How an attribute is written to ONNX; "static" is knowledge of this compiler (a result shape) that never leaves it.
 */
export type AttributeKind = "int" | "ints" | "float" | "string" | "dataType" | "static";

/** ONNX Runtime's own operators, which other runtimes do not have. */
export type Domain = "com.microsoft";

interface TupleOf<T> {
  1: readonly [T];
  2: readonly [T, T];
  3: readonly [T, T, T];
  4: readonly [T, T, T, T];
  many: readonly T[];
}
export type Arity = keyof TupleOf<unknown>;

export interface GradientContext<N extends Arity, A> {
  readonly inputs: TupleOf<Node>[N];
  readonly output: Node;
  /** The incoming gradient, of the output's type. */
  readonly dy: Node;
  readonly attributes: A;
}

export interface OpDefinition<N extends Arity, A> {
  readonly attributes?: { readonly [K in keyof A]-?: AttributeKind };
  /** The operator set it belongs to, where that is not the standard one. See `Model.domains`. */
  readonly domain?: Domain;
  /** How many results ONNX insists on naming, where it is more than one: see ops/results.ts. */
  readonly results?: number;
  /** The result's type. Throws `fail(reason)` where the operands do not fit. */
  infer(inputs: TupleOf<TensorType>[N], attributes: A, fail: (reason: string) => ShapeError): TensorType;
  /**
   * One new node per input, or null where nothing flows; "none" for an op that cannot be differentiated. An input that
   * was broadcast may get a gradient of the broadcast shape: the caller sums it back.
   */
  readonly gradient: ((context: GradientContext<N, A>) => readonly (Node | null)[]) | "none";
}

export interface Op<N extends Arity, A> extends OpDefinition<N, A> {
  (inputs: TupleOf<Node>[N], attributes: A): Node;
}

/** A node constructor that carries its definition. Calling it throws ShapeError when the operands do not fit. */
export function defineOp<N extends Arity, A extends Attributes = Record<never, never>>(
  op: string,
  definition: OpDefinition<N, A>,
): Op<N, A> {
  const make = (inputs: TupleOf<Node>[N], attributes: A): Node => {
    const types = (inputs as readonly Node[]).map((node) => node.type);
    const fail = (reason: string) =>
      new ShapeError(
        op,
        types.map((type) => type.shape),
        reason,
      );
    const type = definition.infer(types as unknown as TupleOf<TensorType>[N], attributes, fail);
    return { op, inputs: inputs as readonly Node[], attributes, type };
  };
  return Object.assign(make, definition);
}
