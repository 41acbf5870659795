/** An ONNX file that lies about itself is refused before native code sees it, with what it lies about. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OnnxFileError, readOnnxFile } from "../../../shared/engine/onnxFile.ts";
import { encodeModel } from "../../../shared/engine/onnxSchema.ts";
import { doublerOnnx } from "../../support/doublerOnnx.ts";

function varint(value: bigint | number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
const integer = (number: number, value: bigint | number) => Buffer.concat([varint(8 * number), varint(value)]);
function field(number: number, ...content: (Uint8Array | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(8 * number + 2), varint(bytes.length), bytes]);
}

const start = Buffer.concat([integer(1, 9), field(8, integer(2, 20))]);
const modelOf = (...graph: Uint8Array[]) => Buffer.concat([start, field(7, ...graph)]);
const dims = (...sizes: (bigint | number)[]) => field(1, ...sizes.map(varint));
const tensor = (...fields: Uint8Array[]) => modelOf(field(5, field(8, "w"), ...fields));
const node = (op: string, ...fields: Uint8Array[]) => field(1, field(4, op), ...fields);

/** A branch within a branch, so many deep. */
function nested(depth: number): Uint8Array {
  let graph = node("Identity");
  for (let i = 0; i < depth; i++) graph = node("If", field(5, field(6, graph)));
  return modelOf(graph);
}

/** Each function calls the next one twice. */
function laughs(count: number): Uint8Array {
  const name = (i: number) => `f${i}`;
  const call = (i: number, each: number) => field(each, field(4, name(i)), field(7, "own"));
  const functions = Array.from({ length: count }, (_, i) =>
    field(25, field(1, name(i)), field(10, "own"), ...(i + 1 < count ? [call(i + 1, 7), call(i + 1, 7)] : [])),
  );
  return Buffer.concat([modelOf(call(0, 1)), ...functions]);
}
const circle = Buffer.concat([
  modelOf(field(1, field(4, "f"), field(7, "own"))),
  field(25, field(1, "f"), field(10, "own"), field(7, field(4, "f"), field(7, "own"))),
]);

const lies: Record<string, [Uint8Array, RegExp]> = {
  "a length beyond the file": [
    Buffer.concat([start, Buffer.of(0x3a, 100, 1)]),
    /model\.graph is said to have 100 bytes .* 1 are left/,
  ],
  "a length beyond its message": [modelOf(Buffer.of(0x0a, 50)), /graph\.nodes\[0\] is said to have 50 bytes/],
  "a negative length": [Buffer.concat([start, Buffer.of(0x3a), varint(-1)]), /is said to have -1 bytes/],
  "a number without an end": [Buffer.concat([Buffer.of(8), Buffer.alloc(11, 255)]), /more than ten bytes/],
  "a group": [Buffer.concat([start, Buffer.of(0x7b, 0x7c)]), /wire type 3/],
  "one graph twice": [Buffer.concat([modelOf(), field(7)]), /model\.graph is there twice/],
  "graphs nested without measure": [nested(40), /nested more than 100 deep/],
  "so many parts that memory would end": [
    modelOf(Buffer.alloc(2 * 1_000_001, Buffer.of(0x0a, 0))),
    /more than 1000000 parts/,
  ],
  "a name of a mebibyte": [modelOf(field(2, "x".repeat(2 ** 20))), /name has 1048576 bytes/],
  "a name that is no text": [modelOf(field(2, Buffer.of(0xff))), /model\.graph\.name at byte \d+ is not valid UTF-8/],
  "fewer bytes than its dimensions": [
    tensor(dims(2, 2), integer(2, 1), field(9, "abc")),
    /tensor "w" \[2, 2\] needs 16 bytes and has 3/,
  ],
  "fewer numbers than its dimensions": [
    tensor(dims(3), integer(2, 7), field(7, Buffer.of(1, 2))),
    /needs 3 values and has 2/,
  ],
  "no data at all": [tensor(dims(3), integer(2, 1)), /needs 3 values and has 0/],
  "data of two kinds": [tensor(dims(1), integer(2, 1), field(9, "abcd"), field(4, "abcd")), /more than one kind/],
  "a negative dimension": [tensor(dims(-1), integer(2, 1)), /"w" has a dimension of -1/],
  "dimensions whose product overflows": [tensor(dims(2n ** 40n, 2n ** 40n), integer(2, 1)), /asks for more than/],
  "more dimensions than anything has": [tensor(dims(...Array(65).fill(1)), integer(2, 1)), /dims holds more than 64/],
  "a type that there is not": [tensor(dims(1), integer(2, 99)), /data type 99/],
  "a segment": [tensor(dims(0), integer(2, 1), field(3)), /one segment of several/],
  "a sparse tensor that is huge when dense": [
    modelOf(
      field(
        15,
        field(1, dims(0), integer(2, 1)),
        field(2, dims(0), integer(2, 7)),
        field(3, varint(2 ** 30), varint(2 ** 30)),
      ),
    ),
    /sparse tensor .* asks for more than/,
  ],
  "an operator set of the future": [
    Buffer.concat([integer(1, 9), field(8, integer(2, 99)), field(7)]),
    /version 99; known: 1 to 26/,
  ],
  "a negative version": [Buffer.concat([integer(1, -9), field(8, integer(2, 20)), field(7)]), /ir_version is -9/],
  "functions that call each other": [circle, /function own f calls itself/],
  "functions that grow without measure": [laughs(60), /more than 500000 nodes/],
};

describe("an ONNX file is refused for", () => {
  for (const [title, [bytes, message]] of Object.entries(lies)) {
    it(title, () => {
      assert.throws(
        () => readOnnxFile(bytes),
        (error: Error) => error instanceof OnnxFileError && message.test(error.message),
      );
    });
  }
});

describe("an ONNX file is read", () => {
  it("with branches as deep as anyone writes them", () => {
    assert.deepEqual(readOnnxFile(nested(20)).foreignOps, []);
  });

  it("with names like those of objects' own parts", () => {
    const named = { opType: "toString", name: "__proto__", domain: "__proto__", input: [], output: [], attribute: [] };
    const { foreignOps, opsets } = readOnnxFile(
      encodeModel({ name: "constructor", node: [named], input: [], output: [] }, ["__proto__"]),
    );
    assert.deepEqual(foreignOps, [{ domain: "__proto__", op: "toString" }]);
    assert.deepEqual(Object.keys(opsets), ["", "__proto__"]);
  });

  it("and tells of data that lies elsewhere, even where it says so only by a path", () => {
    const entry = field(13, field(1, "location"), field(2, "../../etc/passwd"));
    assert.deepEqual(readOnnxFile(tensor(dims(4), integer(2, 1), entry)).external, ["w"]);
    const inNode = modelOf(node("Constant", field(5, field(5, field(8, "c"), dims(4), integer(2, 1), integer(14, 1)))));
    assert.deepEqual(readOnnxFile(inNode).external, ["c"]);
    assert.deepEqual(readOnnxFile(doublerOnnx()).external, []);
  });
});
