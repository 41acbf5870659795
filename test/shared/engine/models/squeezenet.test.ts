/** SqueezeNet's features from its published weights equal those of its published ONNX model. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  input,
  readSafetensors,
  squeezeNetFeatures,
  squeezeNetFromKeras,
  squeezeNetWidth,
  type TypedArray,
  toOnnx,
  WeightScope,
} from "../../../../shared/engine/index.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";
import { assertClose, numbers, randomValues, tensor, withSession } from "../run.ts";

const weights = sharedFile("models/squeezenet1_1_imagenet/model.safetensors");
const published = sharedFile("models/squeezenet1_1_imagenet/model.onnx");

describe("SqueezeNet 1.1", () => {
  it("gives the features of the published model", { skip: weights.skip || published.skip }, async () => {
    const stored = squeezeNetFromKeras(readSafetensors(readFileSync(weights.path)).tensors);
    const shapes = new Map(Object.entries(stored).map(([name, { shape }]) => [name, shape]));
    const scope = new WeightScope(shapes);
    const features = squeezeNetFeatures(scope, input("image", ["batch", 3, 64, 80]));
    assert.equal(scope.parameters.length, shapes.size);
    const initializers = Object.fromEntries(
      Object.entries(stored).map(([name, { data }]): [string, TypedArray] => [name, data]),
    );
    const feeds = { image: tensor([2, 3, 64, 80], randomValues(2 * 3 * 64 * 80, { seed: 4, low: 0, high: 1 })) };
    const run = (model: Uint8Array) => withSession(model, async (session) => (await session.run(feeds)).features);
    const [ours, theirs] = [
      await run(toOnnx({ outputs: { features }, initializers })),
      await run(readFileSync(published.path)),
    ];
    assert.deepEqual(ours!.shape, [2, squeezeNetWidth]);
    assertClose(numbers(ours), numbers(theirs), 1e-4);
    assert.ok(Math.max(...numbers(ours)) > 1, "the features say something");
  });

  it("names a weight that a file lacks", () => {
    assert.throws(() => squeezeNetFromKeras(new Map()), /weight "uniform1" is not in the checkpoint/);
  });
});
