/** A real checkpoint, stories260K, against an independent reading of its original format in float64. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { Generator } from "../../../../shared/engine/generation/generator.ts";
import { toOnnx } from "../../../../shared/engine/index.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { llama } from "../../../../shared/engine/models/llama.ts";
import { readOriginalLlama } from "../../../../shared/engine/models/originalLlama.ts";
import { buildModel, readPretrained, weightsFor } from "../../../../shared/engine/models/pretrained.ts";
import { readTokenizer } from "../../../../shared/engine/tokenizers/tokenizer.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";
import { readJsonObject } from "../../../../shared/engine/weights/checkpointFiles.ts";
import { openReference, openReferenceTokenizer } from "../../../support/llama2c.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";
import { numbers, tensor, withSession } from "../run.ts";

const { path, skip } = sharedFile("models/stories260K");
const prompt = "Once upon a time";
const steps = 150;

describe("stories260K", { skip }, () => {
  let prompted: number[];
  let expected: number[];
  let referenceLogits: Float64Array[];
  let referenceText: string;

  before(() => {
    const reference = openReference(join(path, "stories260K.bin"));
    const tokenizer = openReferenceTokenizer(join(path, "tok512.bin"), 512);
    prompted = tokenizer.encode(prompt);
    const text = [...prompted];
    referenceLogits = [];
    for (let position = 0; position < prompted.length + steps - 1; position++) {
      const logits = reference.forward(text[position]!, position);
      referenceLogits.push(logits);
      if (position >= prompted.length - 1) text.push(logits.indexOf(Math.max(...logits)));
    }
    expected = text.slice(prompted.length);
    referenceText = text.slice(1).reduce((all, token, i) => all + tokenizer.piece(text[i]!, token), "");
  });

  it("continues the prompt greedily with the reference's tokens and text, alone and beside others", async () => {
    const [pretrained, tokenizer] = [await readPretrained(path), await readTokenizer(path)];
    const { input_ids } = tokenizer.encode(prompt);
    assert.deepEqual(input_ids, prompted);
    assert.equal(expected.length, steps);
    for (const tokensPerCall of [1, 8]) {
      const generator = await Generator.start(pretrained, { tokensPerCall });
      const read = async (text: string, maxTokens: number) => {
        const request = { prompt: tokenizer.encode(text).input_ids, maxTokens, temperature: 0 };
        return (await Array.fromAsync(generator.generate(request))).flatMap(({ tokens }) => tokens);
      };
      const alone = await read(prompt, steps);
      const [beside] = await Promise.all([
        read(prompt, steps),
        ...["Lily and Tom went to the park.", "A", "One day"].map((other, i) => read(other, 40 + 60 * i)),
      ]);
      await generator.close();
      const tokens = alone.map(({ id }) => id);
      assert.deepEqual(tokens, expected);
      assert.deepEqual(beside, alone);
      assert.equal(tokenizer.decode([...input_ids, ...tokens]), referenceText);
    }
    assert.match(referenceText, /^Once upon a time, there was a little girl/);
  });

  it("has the reference's tokens of any text", async () => {
    const [tokenizer, reference] = [await readTokenizer(path), openReferenceTokenizer(join(path, "tok512.bin"), 512)];
    for (const text of [
      'Lily\'s mom said: "No, thank you!"',
      "naïve 中文 🙂",
      "The  dog\nran over there.",
      prompt.repeat(5),
    ]) {
      assert.deepEqual(tokenizer.encode(text).input_ids, reference.encode(text), text);
      assert.equal(tokenizer.decode(tokenizer.encode(text).input_ids), text);
    }
  });

  it("has the reference's logits at every position", async () => {
    const pretrained = await readPretrained(path);
    const { output, scope } = buildModel(pretrained.model, { head: "causal" }, { inputs: textInputs() });
    assertClose(
      await logitsOf(toOnnx({ outputs: { output }, initializers: weightsFor(pretrained, scope.parameters) })),
    );
  });

  it("is the same model in Hugging Face's order of rotary features", async () => {
    const pretrained = await readPretrained(path);
    const config = readOriginalLlama(new CheckpointConfig(await readJsonObject(path, "config.json")));
    const half = llama({ ...config, pairing: "half" });
    const { output, scope } = buildModel(half, { head: "causal" }, { inputs: textInputs() });
    const initializers = weightsFor(pretrained, scope.parameters);
    for (const [name, data] of Object.entries(initializers)) {
      if (/[qk]_proj/.test(name)) initializers[name] = halvesApart(data, config.hidden, config.headWidth);
    }
    assertClose(await logitsOf(toOnnx({ outputs: { output }, initializers })));
  });

  async function logitsOf(model: Uint8Array): Promise<number[]> {
    const text = [...prompted, ...expected].slice(0, referenceLogits.length);
    const shape = [1, text.length];
    const mask = tensor(shape, new Int32Array(text.length).fill(1));
    const feeds = { input_ids: tensor(shape, Int32Array.from(text)), attention_mask: mask };
    return withSession(model, async (session) => numbers((await session.run(feeds)).output));
  }

  function assertClose(logits: readonly number[]): void {
    const reference = referenceLogits.flatMap((row) => Array.from(row));
    assert.equal(logits.length, reference.length);
    const worst = logits.reduce((most, logit, i) => Math.max(most, Math.abs(logit - reference[i]!)), 0);
    assert.ok(worst < 1e-4, `a logit is off by ${worst}`);
  }
});

/** Rows of a projection moved so that pair (2i, 2i + 1) of each head becomes (i, i + width/2). */
function halvesApart(data: Float32Array, inputs: number, width: number): Float32Array {
  const moved = new Float32Array(data.length);
  for (let row = 0; row < data.length / inputs; row++) {
    const [head, i] = [Math.floor(row / width) * width, row % width];
    const to = head + (i % 2 === 0 ? i / 2 : (i - 1) / 2 + width / 2);
    moved.set(data.subarray(row * inputs, (row + 1) * inputs), to * inputs);
  }
  return moved;
}
