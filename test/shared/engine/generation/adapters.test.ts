/** Adapters reach generation through the scope: one for all, or one of its own for each row of a batch. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type GenerationRequest,
  Generator,
  type GeneratorOptions,
} from "../../../../shared/engine/generation/generator.ts";
import {
  initializeLora,
  input,
  type Lora,
  matmul,
  mergeLora,
  mul,
  scaleOf,
  swapLast,
  WeightScope,
  withLora,
} from "../../../../shared/engine/index.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { buildModel } from "../../../../shared/engine/models/pretrained.ts";
import { tinyBuilt } from "../models/tinyModels.ts";
import { randomValues, tensor } from "../run.ts";

const config = { rank: 2, alpha: 4, dropout: 0, targets: ["q_proj", "v_proj"] };
const { model, weights } = tinyBuilt("llama", { head: "causal" });
const request: GenerationRequest = { prompt: [5, 9, 31], temperature: 0, maxTokens: 8 };
const floats = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data as Float32Array]));
const shapes = new Map(Object.entries(weights).map(([name, { shape }]) => [name, shape]));

type Adapter = Record<string, Float32Array>;

async function tokens(data: Adapter, requests: readonly GenerationRequest[], options: GeneratorOptions = {}) {
  const pretrained = {
    model,
    weights: new Map([...shapes].map(([name, shape]) => [name, tensor(shape, data[name]!)])),
  };
  const generator = await Generator.start(pretrained, { threads: 1, ...options });
  const answers = await Promise.all(requests.map((one) => Array.fromAsync(generator.generate(one))));
  await generator.close();
  return answers.map((pieces) => pieces.flatMap((piece) => piece.tokens.map(({ id }) => id)));
}

/** An adapter that makes a difference, as both of its matrices are random. */
function adapterOf(lora: Lora, seed: number): Adapter {
  const first = initializeLora(lora, seed);
  return Object.fromEntries(
    Object.entries(first).map(([name, { length }], i) => [name, randomValues(length, { seed: seed * 100 + i })]),
  );
}

describe("generation with adapters", () => {
  const lora = withLora(new WeightScope(), config, { body: "model" });
  buildModel(model, { head: "causal" }, { inputs: textInputs(), scope: lora.scope });
  const adapters = [1, 2, 3].map((seed) => adapterOf(lora, seed));

  it("writes as the merged weights do, with one for all", async () => {
    const [plain] = await tokens(floats, [request]);
    const [merged] = await tokens(mergeLora(floats, adapters[0]!, lora), [request]);
    const fresh = withLora(new WeightScope(), config, { body: "model" });
    const adapted = await tokens(floats, [request], { scope: fresh.scope, initializers: adapters[0]! });
    assert.deepEqual(adapted, [merged]);
    assert.notDeepEqual(merged, plain);
  });

  it("writes as the merged weights do, with another for each row of a batch", async () => {
    const expected = await Promise.all(
      adapters.map(async (adapter) => (await tokens(mergeLora(floats, adapter, lora), [request]))[0]!),
    );
    assert.equal(new Set(expected.map(String)).size, adapters.length);
    const scope = new WeightScope().extended(({ path, x, inputs, outputs }) => {
      if (!/[qv]_proj$/.test(path)) return undefined;
      const a = input(`${path}.a`, ["rows", config.rank, inputs]);
      const b = input(`${path}.b`, ["rows", outputs, config.rank]);
      return matmul(mul(matmul(x, swapLast(a)), scaleOf(config)), swapLast(b));
    });
    const adapterFor = new Map(adapters.map((adapter) => [{ ...request }, adapter]));
    const feeds: GeneratorOptions["feeds"] = (requests) =>
      Object.fromEntries(
        lora.placements.flatMap(({ path, inputs, outputs }) =>
          [
            ["a", "lora_A", [requests.length, config.rank, inputs]] as const,
            ["b", "lora_B", [requests.length, outputs, config.rank]] as const,
          ].map(([short, long, shape]) => {
            const rows = requests.map((one) => adapterFor.get(one)![`base_model.model.${path}.${long}.weight`]!);
            return [`${path}.${short}`, tensor(shape, Float32Array.from(rows.flatMap((row) => [...row])))];
          }),
        ),
      );
    assert.deepEqual(await tokens(floats, [...adapterFor.keys()], { scope, feeds, tokensPerCall: 3 }), expected);
  });
});
