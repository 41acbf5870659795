/** A device asked many things at once answers each as if it had been asked alone. */
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { storedWeights } from "../../../../shared/engine/models/ngramClassifier.ts";
import { normals } from "../../../../shared/engine/random.ts";
import { startDevice } from "../../../../shared/engine/runtime/device.ts";
import { ownProcessDevice } from "../../../../shared/engine/runtime/ownProcess.ts";
import { ngrams } from "../../../../shared/engine/text/ngrams.ts";
import { writeArtifact } from "../../../../shared/engine/training/artifact.ts";

const labels = ["a", "b", "c"];
const texts = Array.from({ length: 40 }, (_, i) => "word".concat(" more ".repeat(i), ` number ${i} of ${i * i}`));

function writeModel(path: string): void {
  const buckets = Uint32Array.from(new Set(texts.flatMap((text) => [...ngrams(text).buckets]))).sort();
  const weights = storedWeights({
    buckets,
    scales: new Float32Array(buckets.length).fill(1),
    weight: normals(buckets.length * labels.length, { seed: 1 }),
    bias: new Float32Array(labels.length),
  });
  writeArtifact(path, { architecture: "ngram", labels, temperature: 1 }, weights);
}

const kinds = { "a child process": startDevice, "its own process": ownProcessDevice };

for (const [where, start] of Object.entries(kinds))
  it(`in ${where} answers questions that arrive together as it answers them one by one`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "millrace-test-"));
    const device = start({ threads: 1 });
    try {
      const path = join(directory, "model.safetensors");
      writeModel(path);
      const digest = hash("sha256", readFileSync(path), "hex");
      const ask = (text: string) => device.call("predict", { artifact: path, digest, texts: [text] });
      const alone = [];
      for (const text of texts) alone.push(await ask(text));
      assert.deepEqual(await Promise.all(texts.map(ask)), alone);
    } finally {
      device.kill();
      rmSync(directory, { recursive: true });
    }
  });

it("in its own process tells of a file that is not there, and of its end", async () => {
  const device = ownProcessDevice({ threads: 1 });
  const missing = { artifact: "/nowhere/model.safetensors", digest: "", texts: ["a"] };
  await assert.rejects(device.call("predict", missing), { name: "DeviceError", message: /no such file/ });
  const asked = device.call("predict", missing);
  device.kill();
  await assert.rejects(asked, { name: "DeviceError", message: "The device was ended" });
  assert.equal(device.alive, false);
  await assert.rejects(device.call("predict", missing), { message: "The device was ended" });
});
