/**
 * The immutable graph: every value is a node that knows its inputs and its type; names of inner values are given at
 * export.
 */
import { type DataType, dataTypeOf, type TypedArray } from "./dataTypes.ts";
import { elementCount, formatShape, type Shape, ShapeError } from "./shape.ts";

export interface TensorType {
  readonly shape: Shape;
  readonly dataType: DataType;
}

export type AttributeValue = number | string | readonly number[] | Shape;
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface Node {
  /** An `OpType`, or `Input`, `Parameter` or `Constant` for a leaf. */
  readonly op: string;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** Given to inputs and parameters by their author; it is the name in the exported graph. */
  readonly name?: string;
  /** The elements of a constant. */
  readonly data?: TypedArray;
}

/** A per-call input, such as `input_ids`. Its symbolic dimensions are bound at run time. */
export function input(name: string, shape: Shape, dataType: DataType = "float32"): Node {
  return { op: "Input", inputs: [], attributes: {}, type: { shape, dataType }, name };
}

/**
 * A weight. At export it becomes an initializer where data is supplied for its name, and otherwise a graph input, which
 * is how training feeds weights in and takes updated ones out. Throws TypeError for a symbolic dimension.
 */
export function parameter(name: string, shape: readonly number[], dataType: DataType = "float32"): Node {
  elementCount(shape);
  return { op: "Parameter", inputs: [], attributes: {}, type: { shape, dataType }, name };
}

/**
 * A fixed value: one number as a scalar of `dataType`, or a typed array, whose class decides unless `dataType` is
 * given.
 */
export function constant(value: number, dataType?: DataType): Node;
export function constant(value: TypedArray, shape: readonly number[], dataType?: DataType): Node;
export function constant(
  value: number | TypedArray,
  shape: DataType | readonly number[] = "float32",
  dataType?: DataType,
): Node {
  if (typeof value === "number") return scalar(value, shape as DataType);
  const type = { shape: shape as readonly number[], dataType: dataType ?? dataTypeOf(value) };
  if (elementCount(type.shape) !== value.length) {
    throw new ShapeError("Constant", [type.shape], `does not hold ${value.length} elements`);
  }
  return { op: "Constant", inputs: [], attributes: {}, type, data: value };
}

const scalarArrays: Record<DataType, (value: number) => TypedArray> = {
  float32: (value) => Float32Array.of(value),
  float64: (value) => Float64Array.of(value),
  float16: (value) => new Uint16Array(Float16Array.of(value).buffer),
  int64: (value) => BigInt64Array.of(BigInt(value)),
  int32: (value) => Int32Array.of(value),
  uint32: (value) => Uint32Array.of(value),
  uint8: (value) => Uint8Array.of(value),
  int8: (value) => Int8Array.of(value),
  // Rounded toward zero, exact for the few values written as scalars.
  bfloat16: (value) => Uint16Array.of(new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16),
  bool: (value) => Uint8Array.of(value),
};

function scalar(value: number, dataType: DataType): Node {
  return {
    op: "Constant",
    inputs: [],
    attributes: {},
    type: { shape: [], dataType },
    data: scalarArrays[dataType](value),
  };
}

/** A vector of int64, the form in which ONNX takes shapes and axes. */
export function int64s(values: readonly number[]): Node {
  return constant(BigInt64Array.from(values, BigInt), [values.length]);
}

/** Every node the roots depend on, inputs before users, in an order that depends on the graph alone. */
export function topologicalOrder(roots: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  // An explicit stack: a deep network would overflow the call stack.
  const stack = [...roots].reverse().map((node) => ({ node, next: 0 }));
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (top.next === 0 && seen.has(top.node)) {
      stack.pop();
      continue;
    }
    seen.add(top.node);
    const child = top.node.inputs[top.next++];
    if (!child) {
      order.push(top.node);
      stack.pop();
    } else if (!seen.has(child)) stack.push({ node: child, next: 0 });
  }
  return order;
}

/** A node in words, for error messages. */
export function describe(node: Node): string {
  return `${node.op}${node.name ? ` "${node.name}"` : ""} ${node.type.dataType}${formatShape(node.type.shape)}`;
}
