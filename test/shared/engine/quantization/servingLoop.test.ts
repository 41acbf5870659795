/** Bases that write, in fewer bits: what they write stays near, and nobody's text depends on who else is written for. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decoder, decoderModel } from "../../../../shared/engine/generation/decoder.ts";
import { type GeneratedToken, Generator } from "../../../../shared/engine/generation/generator.ts";
import { initialize } from "../../../../shared/engine/index.ts";
import { modelOf } from "../../../../shared/engine/models/families.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel, type Pretrained, weightsFor } from "../../../../shared/engine/models/pretrained.ts";
import { precisions } from "../../../../shared/engine/quantization/precision.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";

/** A Llama just wide enough for its matrices to be rounded. */
function wideEnough(): Pretrained {
  const config = {
    model_type: "llama",
    hidden_size: 64,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 128,
    num_hidden_layers: 2,
    vocab_size: 96,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    hidden_act: "silu",
    tie_word_embeddings: true,
  };
  const model = modelOf(new CheckpointConfig(config));
  const { parameters } = buildModel(model, { head: "causal" }, { inputs: textInputs() }).scope;
  const data = initialize(parameters, 3, 0.1);
  const tensors = parameters.map(
    ({ name, type }) => [name!, { shape: type.shape as number[], data: data[name!]! }] as const,
  );
  return { model, weights: new Map(tensors) };
}

const pretrained = wideEnough();
const prompts = [
  [5, 17, 60],
  [90, 2, 33, 41, 8],
  [70, 71],
];

async function written(generator: Generator, prompt: readonly number[]): Promise<GeneratedToken[]> {
  const tokens: GeneratedToken[] = [];
  const request = { prompt, maxTokens: 12, temperature: 0, topLogProbabilities: 5 };
  for await (const piece of generator.generate(request)) tokens.push(...piece.tokens);
  return tokens;
}

describe("a base that writes", () => {
  // By how much the log-probability of its first token may differ from float32's; measured: 0.02 and 0.24.
  const bounds = { float32: 0, int8: 0.05, int4: 0.5 };
  const build = () => {
    const built = decoder(pretrained.model);
    return { built, weights: weightsFor(pretrained, built.scope.parameters) };
  };

  for (const precision of precisions) {
    it(`does so in ${precision}, the same text alone and among others`, async () => {
      const exact = await Generator.start(pretrained, { threads: 1 });
      const generator = await Generator.start(pretrained, { threads: 1, precision });
      const alone: GeneratedToken[][] = [];
      for (const prompt of prompts) alone.push(await written(generator, prompt));
      const together = await Promise.all(prompts.map((prompt) => written(generator, prompt)));
      assert.deepEqual(
        together.map((tokens) => tokens.map(({ id }) => id)),
        alone.map((tokens) => tokens.map(({ id }) => id)),
      );
      for (const [i, prompt] of prompts.entries()) {
        const [first] = await written(exact, prompt);
        const same = alone[i]![0]!.top.find(({ id }) => id === first!.id);
        const off = Math.abs((same?.logProbability ?? -Infinity) - first!.logProbability);
        assert.ok(off <= bounds[precision], `${off}`);
      }
      await Promise.all([exact.close(), generator.close()]);
    });
  }

  it("takes less room in fewer bits, all of it outside the loop, and in standard operators where nothing is rounded", () => {
    const { built, weights } = build();
    const [float32, int8, int4] = precisions.map((precision) => decoderModel(built, weights, precision));
    const values = Object.values(weights).reduce((total, { length }) => total + length, 0);
    assert.ok(
      float32!.length - int8!.length > 2 * values,
      "the tied table is there twice, for reading and for writing",
    );
    assert.ok(int4!.length < int8!.length);
    const names = [float32, int8, int4].map((model) => Buffer.from(model!).includes("com.microsoft"));
    assert.deepEqual(names, [false, true, true]);
  });
});
