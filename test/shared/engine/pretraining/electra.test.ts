/** Electra is BERT where its token vectors are as wide as its states, and a projection apart where they are not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { initialize, input, type Node, type Tensor, toOnnx, WeightScope } from "../../../../shared/engine/index.ts";
import { linear } from "../../../../shared/engine/layers/basic.ts";
import { type BertConfig, bert } from "../../../../shared/engine/models/bert.ts";
import { electra } from "../../../../shared/engine/models/electra.ts";
import { modelOf } from "../../../../shared/engine/models/families.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { taken } from "../../../../shared/engine/training/fitter.ts";
import { CheckpointConfig } from "../../../../shared/engine/weights/checkpointConfig.ts";
import { dataOf, tensorsOf } from "../../../../shared/engine/weights/tensors.ts";
import { tinyFeeds } from "../models/tinyModels.ts";
import { numbers, withSession } from "../run.ts";

const config: BertConfig = {
  ...{ hidden: 16, heads: 2, intermediate: 24, layers: 2, vocabulary: 40, positionRows: 12, tokenTypes: 2 },
  ...{ activation: "gelu", normEpsilon: 1e-12, tied: true },
};

/** Values of a node of weights that are chosen by name. */
async function valuesOf(
  output: Node,
  scope: WeightScope,
  weights: Readonly<Record<string, Tensor>>,
): Promise<number[]> {
  assert.ok(scope.parameters.length > 0);
  const model = toOnnx({ outputs: { output }, initializers: dataOf(weights) });
  const { output: found } = await withSession(model, (session) => session.run(taken(session, tinyFeeds)));
  return numbers(found);
}

function built(model: ReturnType<typeof bert>, head: "states" | "masked") {
  const [scope, inputs] = [new WeightScope(), textInputs()];
  const states = model.states(scope, inputs);
  return { scope, output: head === "states" ? states : model.heads.masked!({ scope, states, inputs, labels: 1 }) };
}

describe("the electra family", () => {
  for (const head of ["states", "masked"] as const) {
    it(`is BERT under other names, by its ${head}`, async () => {
      const ours = built(electra({ ...config, embedding: 16 }), head);
      const theirs = built(bert(config), head);
      const data = initialize(theirs.scope.parameters, 11, 0.3);
      const values = tensorsOf(theirs.scope.parameters, data);
      const renamed = Object.fromEntries(Object.entries(values).map(([name, tensor]) => [inElectra(name), tensor]));
      const expected = await valuesOf(theirs.output, theirs.scope, values);
      const found = await valuesOf(ours.output, ours.scope, renamed);
      assert.equal(found.length, expected.length);
      const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
      assert.ok(worst < 1e-5, `off by ${worst}`);
    });
  }

  it("projects narrow token vectors to its states", async () => {
    const model = electra({ ...config, layers: 0, embedding: 8 });
    const { scope, output } = built(model, "states");
    const weights = tensorsOf(scope.parameters, initialize(scope.parameters, 5, 0.3));
    const found = await valuesOf(output, scope, weights);
    const table = weights["electra.embeddings.word_embeddings.weight"]!;
    assert.deepEqual(table.shape, [40, 8]);
    const given = new WeightScope();
    const vectors = input("vectors", ["rows", 8]);
    const projected = linear(given.scope("electra.embeddings_project"), vectors, 8, 16);
    const first = embedded(weights, 5, 0);
    const expected = await withSession(
      toOnnx({ outputs: { projected }, initializers: dataOf(weights, (name) => name.includes("project")) }),
      (session) => session.run({ vectors: { shape: [1, 8], data: first } }),
    );
    for (const [i, value] of numbers(expected.projected).entries()) assert.ok(Math.abs(value - found[i]!) < 1e-5);
  });

  it("is found by its configuration, and names what is missing", () => {
    const file = {
      ...{ model_type: "electra", vocab_size: 40, embedding_size: 8, hidden_size: 16, num_attention_heads: 2 },
      ...{ intermediate_size: 24, num_hidden_layers: 1, max_position_embeddings: 12 },
    };
    assert.equal(modelOf(new CheckpointConfig(file)).prefix, "electra");
    assert.throws(() => modelOf(new CheckpointConfig({ ...file, hidden_size: undefined })), /"hidden_size"/);
  });
});

function inElectra(name: string): string {
  return name
    .replace(/^bert\./, "electra.")
    .replace(/^cls\.predictions\.transform\./, "generator_predictions.")
    .replace(/^cls\.predictions\.bias$/, "generator_lm_head.bias");
}

/** The vector of a token at a place, by hand: float32 [8]. */
function embedded(weights: Readonly<Record<string, Tensor>>, id: number, place: number): Float32Array {
  const row = (name: string, at: number) =>
    (weights[`electra.embeddings.${name}`]!.data as Float32Array).subarray(at * 8, at * 8 + 8);
  const [word, position, segment] = [
    row("word_embeddings.weight", id),
    row("position_embeddings.weight", place),
    row("token_type_embeddings.weight", 0),
  ];
  const sum = Array.from(word, (value, i) => value + position[i]! + segment[i]!);
  const mean = sum.reduce((all, value) => all + value, 0) / 8;
  const deviation = Math.sqrt(sum.reduce((all, value) => all + (value - mean) ** 2, 0) / 8);
  const [scale, shift] = [row("LayerNorm.weight", 0), row("LayerNorm.bias", 0)];
  return Float32Array.from(sum, (value, i) => ((value - mean) / deviation) * scale[i]! + shift[i]!);
}
