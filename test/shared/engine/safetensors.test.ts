/** Safetensors files: what is written is read back, and what is malformed is refused with its reason. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  readSafetensors,
  SafetensorsError,
  type StoredTensor,
  writeSafetensors,
} from "../../../shared/engine/index.ts";
import { bytesOf } from "./run.ts";

/** A file from a header as it stands and a number of data bytes. */
function file(header: unknown, size: number, text = JSON.stringify(header)): Uint8Array {
  const json = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(size)]);
}

const anyTensor: fc.Arbitrary<StoredTensor> = fc
  .record({
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    kind: fc.constantFrom("float32", "float16", "int64", "int32", "uint8", "bool"),
  })
  .map(({ shape, kind }) => {
    const length = shape.reduce((size, dim) => size * dim, 1);
    const classes = {
      float32: Float32Array,
      float16: Uint16Array,
      int32: Int32Array,
      uint8: Uint8Array,
      bool: Uint8Array,
    };
    if (kind === "int64")
      return { shape, dataType: kind, data: BigInt64Array.from({ length }, (_, i) => BigInt(i) - 2n ** 40n) };
    return { shape, dataType: kind, data: classes[kind as "float32"].from({ length }, (_, i) => (i * 3) % 2) };
  }) as fc.Arbitrary<StoredTensor>;

describe("a safetensors file", () => {
  it("gives back what was written: names, types, shapes, bytes and metadata", () => {
    const name = fc.oneof(fc.string(), fc.constant("__proto__"), fc.constant("encoder.layer.0.weight"));
    fc.assert(
      fc.property(fc.dictionary(name, anyTensor), fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
        const found = readSafetensors(writeSafetensors(tensors, metadata));
        assert.deepEqual(Object.entries(found.metadata).sort(), Object.entries(metadata).sort());
        assert.deepEqual([...found.tensors.keys()].sort(), Object.keys(tensors).sort());
        for (const [key, tensor] of Object.entries(tensors)) {
          const back = found.tensors.get(key)!;
          assert.deepEqual([back.dataType, back.shape], [tensor.dataType, tensor.shape]);
          assert.ok(bytesOf(back).equals(bytesOf(tensor)));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("has the same bytes whatever order its tensors came in", () => {
    const [a, b] = [
      { shape: [2], data: Float32Array.of(1, 2) },
      { shape: [1], data: BigInt64Array.of(5n) },
    ];
    assert.deepEqual(writeSafetensors({ a, b }), writeSafetensors({ b, a }));
  });

  it("is read in place where its elements are aligned, and copied where they are not", () => {
    const bytes = writeSafetensors({ w: { shape: [2], data: Float32Array.of(1, 2) } });
    assert.equal(readSafetensors(bytes).tensors.get("w")!.data.buffer, bytes.buffer);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const found = readSafetensors(shifted.subarray(1)).tensors.get("w")!;
    assert.deepEqual(found.data, Float32Array.of(1, 2));
  });

  it("can be read when written by another program: any order, padded header", () => {
    const header = {
      b: { dtype: "I32", shape: [], data_offsets: [8, 12] },
      a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
    };
    const { tensors } = readSafetensors(file(null, 12, `${JSON.stringify(header)}     `));
    assert.deepEqual(
      [...tensors].map(([name, { shape }]) => [name, shape]),
      [
        ["b", []],
        ["a", [2, 1]],
      ],
    );
  });
});

describe("a malformed safetensors file is refused, with the reason", () => {
  const one = (change: object) => ({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } });
  const malformed: Record<string, [Uint8Array, RegExp]> = {
    empty: [new Uint8Array(0), /0 bytes, too few/],
    "cut in its header": [file(one({}), 8).subarray(0, 20), /header is said to have/],
    "cut in its data": [file(one({}), 7), /take 8 bytes, and the file holds 7/],
    "with bytes left over": [file(one({}), 9), /take 8 bytes, and the file holds 9/],
    "with a huge header length": [Buffer.alloc(16, 0xff), /header is said to have/],
    "not JSON": [file(null, 0, "{oops"), /not JSON/],
    "not UTF-8": [Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0xff, 0xfe])]), /not JSON/],
    "not an object": [file([1], 0), /not a JSON object/],
    "of an unknown data type": [
      file(one({ dtype: "F8_E4M3" }), 8),
      /"w" has data type "F8_E4M3", which is not supported/,
    ],
    "with a data type named like a method": [file(one({ dtype: "toString" }), 8), /not supported/],
    "with a negative size": [file(one({ shape: [-2] }), 8), /"w" has no valid shape/],
    "with a fractional size": [file(one({ shape: [1.5] }), 8), /no valid shape/],
    "with a shape too large": [file(one({ shape: [2 ** 30, 2 ** 30] }), 8), /"w" needs .* bytes and has 8/],
    "with offsets the wrong way": [file(one({ data_offsets: [8, 0] }), 8), /needs 8 bytes and has -8/],
    "with one offset": [file(one({ data_offsets: [8] }), 8), /no valid data_offsets/],
    "with a hole": [file(one({ data_offsets: [4, 12] }), 12), /begins at byte 4, not 0/],
    "with overlapping tensors": [
      file({ ...one({}), v: { dtype: "F32", shape: [2], data_offsets: [0, 8] } }, 8),
      /begins at byte 0, not 8/,
    ],
    "with a tensor that is a number": [file({ w: 3 }, 0), /"w" has no description/],
    "with metadata that are not strings": [file({ __metadata__: { a: 1 } }, 0), /not a map of strings/],
  };
  for (const [name, [bytes, message]] of Object.entries(malformed)) {
    it(name, () =>
      assert.throws(
        () => readSafetensors(bytes),
        (error) => error instanceof SafetensorsError && message.test(error.message),
      ),
    );
  }

  it("and nothing else than SafetensorsError is ever thrown", () => {
    const valid = writeSafetensors({ a: { shape: [3], data: Float32Array.of(1, 2, 3) } }, { k: "v" });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (edits) => {
          const bytes = valid.slice();
          for (const [at, value] of edits) bytes[at] = value;
          try {
            readSafetensors(bytes);
          } catch (error) {
            assert.ok(error instanceof SafetensorsError, String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("as is a tensor that cannot be written", () => {
    assert.throws(
      () => writeSafetensors({ w: { shape: [3], data: Float32Array.of(1) } }),
      /"w" \[3\] of float32 cannot hold/,
    );
    assert.throws(
      () => writeSafetensors({ __metadata__: { shape: [1], data: Float32Array.of(1) } }),
      /no tensor may be named/,
    );
  });
});
