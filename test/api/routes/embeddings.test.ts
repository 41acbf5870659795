/** Embeddings: a vector for each input, as both SDKs decode it and as plain callers read it, and every mistake by its path. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { ApiError } from "../../../shared/errors.ts";
import type { BaseRecord } from "../../../shared/schemas/base.ts";
import type { EmbeddingList } from "../../../shared/schemas/embedding.ts";
import type { ModelRecord } from "../../../shared/schemas/model.ts";
import { refused } from "../../support/contract.ts";
import { type Deployment, deploy } from "../../support/deployment.ts";
import { fakeHost } from "../../support/fakeHost.ts";
import { addModel } from "../../support/records.ts";
import { sdks } from "../../support/sdks.ts";
import { addBase } from "../../support/tinyCheckpoint.ts";

/** Vectors of this host have 26 numbers: how often each letter occurs, scaled to length 1. */
const host = fakeHost();
let deployment: Deployment;
let base: BaseRecord;
let tuned: ModelRecord;
before(async () => {
  deployment = await deploy({ host });
  base = await addBase(deployment.stores, "tiny-bert", { "config.json": "{}" });
  const { digest, files } = base;
  tuned = await addModel(deployment.stores, deployment.a, { base_model: base.id, base: { digest, files } });
});
beforeEach(() => {
  host.asked.length = 0;
});
after(() => deployment.close());

const post = (body: object) =>
  deployment.fetch("/v1/embeddings", {
    method: "POST",
    body: JSON.stringify({ model: base.id, input: "abba", ...body }),
    headers: { "content-type": "application/json" },
  });

async function embed(body: object): Promise<EmbeddingList> {
  const response = await post(body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as EmbeddingList;
}

const vectorsOf = ({ data }: EmbeddingList) => data.map(({ embedding }) => embedding as number[]);
const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs(actual! - expected) < 1e-6, `${actual}`);

for (const [version, OpenAI] of Object.entries(sdks)) {
  describe(version, () => {
    const connect = () => new OpenAI({ apiKey: deployment.keys.a, baseURL: deployment.baseURL, maxRetries: 0 });

    test("decodes what it asked for by itself, and gets numbers or base64 when told to", async () => {
      const request = { model: base.id, input: ["ab", "b"] };
      const { data, model, usage, object } = await connect().embeddings.create(request);
      assert.deepEqual([model, object], [base.id, "list"]);
      assert.deepEqual(usage, { prompt_tokens: 3, total_tokens: 3 });
      assert.deepEqual(
        data.map(({ index, object }) => [index, object]),
        [
          [0, "embedding"],
          [1, "embedding"],
        ],
      );
      assert.equal(data[0]!.embedding.length, 26);
      near(data[0]!.embedding[0], Math.SQRT1_2);
      assert.equal(data[1]!.embedding[1], 1);
      const floats = await connect().embeddings.create({ ...request, encoding_format: "float" });
      assert.deepEqual(
        floats.data.map(({ embedding }) => [...embedding]),
        data.map(({ embedding }) => [...embedding]),
      );
      const encoded = await connect().embeddings.create({ ...request, encoding_format: "base64" });
      const bytes = Buffer.from(encoded.data[1]!.embedding, "base64");
      assert.deepEqual([bytes.length, bytes.readFloatLE(0), bytes.readFloatLE(4)], [4 * 26, 0, 1]);
    });

    test("is told by class and field what is wrong", async () => {
      const wrong = connect().embeddings.create({ model: base.id, input: "a", dimensions: 27 });
      await assert.rejects(wrong, (error) => error instanceof OpenAI.BadRequestError && error.param === "dimensions");
    });
  });
}

test("plain callers that ask for no format get numbers", async () => {
  const [vector] = vectorsOf(await embed({ user: "somebody" }));
  assert.equal(vector?.length, 26);
  near(vector![0], Math.SQRT1_2);
});

test("dimensions keep the first numbers, scaled to length 1 again", async () => {
  const [vector] = vectorsOf(await embed({ input: "abbz", dimensions: 2 }));
  assert.equal(vector?.length, 2);
  near(vector![0], 1 / Math.sqrt(5));
  near(vector![1], 2 / Math.sqrt(5));
  assert.deepEqual(vectorsOf(await embed({ input: "z", dimensions: 2 })), [[0, 0]]);
  assert.equal(vectorsOf(await embed({ dimensions: 26 }))[0]?.length, 26);
  await refused(await post({ dimensions: 27 }), { code: "invalid_value", param: "dimensions" });
  await refused(await post({ dimensions: 0 }), { code: "invalid_value", param: "dimensions" });
  await refused(await post({ dimensions: 1.5 }), { param: "dimensions" });
});

test("a list of numbers is one text's tokens, and a list of lists one each", async () => {
  assert.equal((await embed({ input: [7, 8, 9] })).usage.prompt_tokens, 3);
  const two = await embed({ input: [[7, 8], [9]] });
  assert.deepEqual([two.data.length, two.usage.prompt_tokens], [2, 3]);
  assert.deepEqual(
    host.asked.map(({ texts }) => texts),
    [["7,8,9"], ["7,8", "9"]],
  );
});

test("a model tuned over a base answers by its own digest, and a base by its", async () => {
  const digest = async (model: string) => (await post({ model })).headers.get("x-millrace-model-digest");
  assert.equal(await digest(tuned.id), tuned.digest);
  assert.equal(await digest(base.id), base.digest);
});

test("up to 2,048 inputs are taken, none of them empty and all of one kind", async () => {
  assert.equal((await embed({ input: new Array(2048).fill("a") })).data.length, 2048);
  for (const [input, param] of [
    [new Array(2049).fill("a"), "input"],
    [[], "input"],
    ["", "input"],
    [["a", ""], "input[1]"],
    [["a", "b", 1], "input[2]"],
    [[1, "a"], "input[1]"],
    [[1, -1], "input[1]"],
    [[1, 1.5], "input[1]"],
    [[[1], []], "input[1]"],
    [[[1], [2, "a"]], "input[1][1]"],
    [[[1], "a"], "input[1]"],
    [{ text: "a" }, "input"],
    [[null], "input[0]"],
  ] as const) {
    const error = await refused(await post({ input }), { param });
    assert.ok(error.message.includes(`'${param}'`), error.message);
  }
});

test("tokens that the model has not are named where the caller put them", async () => {
  const stray = await deploy({
    host: {
      ...fakeHost(),
      async embed(_model, inputs) {
        const at = inputs.findIndex((input) => input.includes(99 as never));
        throw new ApiError("invalid_value", `'input[${at}]' holds 99.`, { param: `input[${at}]` });
      },
    },
  });
  await addBase(stray.stores, base.id, { "config.json": "{}" });
  const ask = (input: unknown) =>
    stray.fetch("/v1/embeddings", {
      method: "POST",
      body: JSON.stringify({ model: base.id, input }),
      headers: { "content-type": "application/json" },
    });
  assert.equal((await refused(await ask([1, 99]), { param: "input" })).message, "'input' holds 99.");
  await refused(await ask([[1], [99]]), { param: "input[1]" });
  await refused(await ask([[99], [1]]), { param: "input[0]" });
  await stray.close();
});

test("a model without vectors is refused, and another project's is not there", async () => {
  const alone = await addModel(deployment.stores, deployment.a);
  for (const model of [alone.id, "millrace-ngram"]) {
    const error = await refused(await post({ model }), { code: "invalid_value", param: "model" });
    assert.match(error.message, /gives no vectors/);
  }
  const foreign = await addModel(deployment.stores, deployment.b, { base: tuned.base });
  await refused(await post({ model: foreign.id }), { status: 404, code: "model_not_found", param: "model" });
  assert.deepEqual(host.asked, []);
});
