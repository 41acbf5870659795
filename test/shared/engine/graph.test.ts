/** Building, differentiating and exporting graphs: what is refused, and what is left out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  cast,
  concat,
  constant,
  ExportError,
  equal,
  GradientError,
  gather,
  gradients,
  input,
  layerNormalization,
  matmul,
  mul,
  type Node,
  parameter,
  product,
  reduceMean,
  reduceSum,
  reshape,
  ShapeError,
  sign,
  slice,
  square,
  tanh,
  toOnnx,
  topologicalOrder,
  transpose,
} from "../../../shared/engine/index.ts";
import { evaluate, numbers, tensor, withSession } from "./run.ts";

const x = input("x", ["batch", 3]);
const w = parameter("w", [3, 2]);
const frozen = parameter("frozen", [3, 3]);

describe("a node whose operands do not fit is refused, naming the op and the shapes", () => {
  const refused: Record<string, [() => Node, RegExp]> = {
    MatMul: [() => matmul(x, parameter("v", [4, 2])), /^MatMul\(\[batch, 3\], \[4, 2\]\): inner dimensions differ$/],
    Add: [() => add(x, parameter("v", [2])), /^Add\(\[batch, 3\], \[2\]\): shapes do not broadcast$/],
    "symbolic Add": [() => add(x, input("y", ["rows", 3])), /shapes do not broadcast/],
    "Add of two types": [() => add(x, input("y", [3], "int32")), /data types differ: float32 and int32/],
    Reshape: [() => reshape(x, ["batch", 4]), /^Reshape\(\[batch, 3\]\): has not the elements of \[batch, 4\]$/],
    Transpose: [() => transpose(x, [0, 0]), /^Transpose\(\[batch, 3\]\): cannot permute by \[0, 0\]$/],
    Concat: [() => concat([x, w], 1), /shapes differ beyond axis 1/],
    Slice: [() => slice(x, { axis: 1, start: 2, end: 5 }), /no elements 2 to 5 along axis 1/],
    "slice of a symbolic axis": [() => slice(x, { axis: 0, end: 1 }), /no elements 0 to 1 along axis 0/],
    Gather: [() => gather(w, x), /indices are float32/],
    ReduceSum: [() => reduceSum(x, { axes: [2] }), /^ReduceSum\(\[batch, 3\]\): no axis 2$/],
    LayerNormalization: [() => layerNormalization(x, w, w), /must span the last axis/],
    Constant: [() => constant(new Float32Array(3), [2]), /does not hold 3 elements/],
  };
  for (const [name, [build, message]] of Object.entries(refused)) {
    it(name, () => assert.throws(build, (error) => error instanceof ShapeError && message.test(error.message)));
  }
});

describe("gradients", () => {
  const loss = reduceSum(tanh(matmul(tanh(matmul(x, frozen)), w)));

  it("build nothing for what was not asked", () => {
    const [onlyW, all] = [[w], [w, frozen]].map(
      (targets) => topologicalOrder([...gradients(loss, targets).values()]).length,
    );
    assert.ok(onlyW! < all!, `${onlyW} nodes for one target, ${all} for two`);
    const inner = topologicalOrder([...gradients(loss, [w]).values()]);
    const users = inner.filter((node) => node.inputs.includes(frozen));
    assert.deepEqual(
      users.map((node) => node.op),
      ["MatMul"],
      "the frozen weight is only used forward",
    );
  });

  it("sum over every path", async () => {
    const found = gradients(reduceSum(add(square(w), mul(w, 3))), [w]).get(w)!;
    const { g } = await evaluate({ g: found }, { w: tensor([3, 2], [1, 2, 3, 4, 5, 6]) });
    assert.deepEqual(numbers(g), [5, 7, 9, 11, 13, 15]);
  });

  it("refuse a path through an op without gradient, naming it", () => {
    assert.throws(
      () => gradients(reduceSum(sign(w)), [w]),
      (error) => error instanceof GradientError && /^Sign float32\[3, 2\]/.test(error.message),
    );
  });

  it("stop where a value stops being a number, as nothing flows through a condition", async () => {
    const counted = reduceSum(mul(w, cast(equal(w, 2), "float32")));
    const { g } = await evaluate({ g: gradients(counted, [w]).get(w)! }, { w: tensor([3, 2], [1, 2, 3, 2, 5, 6]) });
    assert.deepEqual(numbers(g), [0, 1, 0, 1, 0, 0]);
  });

  it("refuse a target that the loss does not depend on, and a loss that is no scalar", () => {
    assert.throws(() => gradients(loss, [parameter("other", [1])]), /does not depend on Parameter "other"/);
    assert.throws(() => gradients(tanh(w), [w]), /must be a scalar/);
  });

  it("do not overflow the stack in a deep network", () => {
    let deep: Node = w;
    for (let i = 0; i < 20_000; i++) deep = tanh(deep);
    assert.equal(gradients(reduceMean(deep), [w]).size, 1);
  });
});

describe("a graph is exported", () => {
  const build = () => {
    const a = input("x", ["batch", 3]);
    const b = parameter("w", [3, 2]);
    const loss = reduceMean(square(matmul(a, b)));
    return { loss, "grad:w": gradients(loss, [b]).get(b)! };
  };

  it("to the same bytes each time", () => {
    assert.deepEqual(toOnnx({ outputs: build() }), toOnnx({ outputs: build() }));
  });

  it("with equal constants stored once", () => {
    const twice = add(mul(x, constant(Float32Array.of(1, 2, 3), [3])), constant(Float32Array.of(1, 2, 3), [3]));
    const text = Buffer.from(toOnnx({ outputs: { y: twice } })).toString("latin1");
    assert.ok(text.includes("Constant_0") && !text.includes("Constant_1"));
  });

  it("with a parameter as an initializer where data is given, and as an input where not", async () => {
    const data = Float32Array.of(1, 0, 0, 1, 1, 1);
    const outputs = { y: matmul(x, w) };
    const feeds = { x: tensor([1, 3], [1, 2, 3]) };
    await withSession(toOnnx({ outputs, initializers: { w: data } }), async (session) => {
      assert.deepEqual(session.inputNames, ["x"]);
      assert.deepEqual(numbers((await session.run(feeds)).y), [4, 5]);
    });
    await withSession(toOnnx({ outputs }), async (session) => {
      assert.deepEqual(session.inputNames, ["x", "w"]);
      assert.deepEqual(numbers((await session.run({ ...feeds, w: tensor([3, 2], data) })).y), [4, 5]);
    });
  });

  it("with one value under several names, and a leaf as a result", async () => {
    const y = mul(w, 2);
    const results = await evaluate({ a: y, b: y, same: w }, { w: tensor([3, 2], [1, 2, 3, 4, 5, 6]) });
    assert.deepEqual(
      [numbers(results.a), numbers(results.b), numbers(results.same)],
      [
        [2, 4, 6, 8, 10, 12],
        [2, 4, 6, 8, 10, 12],
        [1, 2, 3, 4, 5, 6],
      ],
    );
  });

  it("unless a name, an initializer or an op is not valid", () => {
    const outputs = { y: matmul(x, w) };
    assert.throws(
      () => toOnnx({ outputs, initializers: { v: new Float32Array(6) } }),
      (error) => error instanceof ExportError && /"v"/.test(error.message),
    );
    assert.throws(() => toOnnx({ outputs, initializers: { w: new Float32Array(5) } }), /cannot hold Float32Array of 5/);
    assert.throws(() => toOnnx({ outputs, initializers: { w: new Int32Array(6) } }), /cannot hold Int32Array/);
    assert.throws(() => toOnnx({ outputs: { y: add(x, input("x", ["batch", 3])) } }), /two leaves have one name/);
    assert.throws(() => toOnnx({ outputs: { x: tanh(x) } }), /has the name of another value/);
    assert.throws(() => toOnnx({ outputs: { y: { ...tanh(x), op: "Fft" } } }), /Fft is not an op/);
  });
});

describe("the product of dimensions", () => {
  it("is a number, or a name that does not depend on their order", () => {
    assert.equal(product([2, 3, 4]), 24);
    assert.equal(product(["sequence", 2, "batch", 3]), "6*batch*sequence");
    assert.equal(product(["6*batch", "sequence"]), product([2, "batch*sequence", 3]));
    assert.equal(product([]), 1);
  });
});
