/** The random numbers behind weights and orders: published vectors, and independence of the order of asking. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  hashName,
  initialize,
  mixSeeds,
  normals,
  parameter,
  permutation,
  philox,
} from "../../../shared/engine/index.ts";

describe("philox4x32-10", () => {
  it("gives the known answers of the Random123 distribution", () => {
    const ones = 0xffffffff;
    const hex = (block: readonly number[]) => block.map((word) => word.toString(16).padStart(8, "0")).join(" ");
    assert.equal(hex(philox([0, 0, 0, 0], [0, 0])), "6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    assert.equal(hex(philox([ones, ones, ones, ones], [ones, ones])), "408f276d 41c83b0e a20bc7c6 6d5451fd");
    const pi = philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]);
    assert.equal(hex(pi), "d16cfe09 94fdcceb 5001e420 24126ea1");
  });
});

describe("random numbers", () => {
  it("are normal: mean 0, deviation 1, and 68 % within one deviation", () => {
    const values = normals(20_000, { seed: 3 });
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    const within = values.filter((value) => Math.abs(value) < 1).length / values.length;
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05 && Math.abs(within - 0.6827) < 0.015);
  });

  it("depend on seed and stream alone", () => {
    assert.deepEqual(normals(7, { seed: 1, stream: 2 }), normals(9, { seed: 1, stream: 2 }).slice(0, 7));
    assert.notDeepEqual(normals(7, { seed: 1, stream: 2 }), normals(7, { seed: 2, stream: 1 }));
    assert.notEqual(mixSeeds(1, 2), mixSeeds(2, 1));
  });

  it("shuffle every position, keeping all", () => {
    const order = permutation(1000, 4);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...Array(1000).keys()],
    );
    assert.ok(order.filter((value, i) => value === i).length < 10);
    assert.deepEqual(order, permutation(1000, 4));
    assert.notDeepEqual(order, permutation(1000, 4, 1));
  });

  it("hash names as FNV-1a does", () => {
    assert.deepEqual([hashName(""), hashName("a"), hashName("foobar")], [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });
});

describe("first weights", () => {
  const weight = parameter("layer.weight", [20, 30]);
  const others = [parameter("layer.bias", [3]), parameter("layer.LayerNorm.weight", [2])];

  it("do not depend on which other weights there are", () => {
    assert.deepEqual(initialize([weight], 5)["layer.weight"], initialize([...others, weight], 5)["layer.weight"]);
    assert.notDeepEqual(initialize([weight], 5), initialize([weight], 6));
  });

  it("are zero for biases and one for the scale of a normalisation", () => {
    const data = initialize(others, 5);
    assert.deepEqual(data["layer.bias"], new Float32Array(3));
    assert.deepEqual(data["layer.LayerNorm.weight"], Float32Array.of(1, 1));
  });
});
