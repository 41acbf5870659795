/** The shipped bases are small enough, load, read any script, and embed sensibly; their recipes are known. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runRecipeCommand } from "../../../infra/models/recipes/command.ts";
import { recipes } from "../../../infra/models/recipes/recipes.ts";
import { toOnnx, WeightScope } from "../../../shared/engine/index.ts";
import { openEncoder } from "../../../shared/engine/models/adaptedBase.ts";
import { textInputs } from "../../../shared/engine/models/languageModel.ts";
import { buildModel, readPretrained, weightsFor } from "../../../shared/engine/models/pretrained.ts";
import { createSession } from "../../../shared/engine/runtime/session.ts";
import { readTokenizer } from "../../../shared/engine/tokenizers/tokenizer.ts";
import { padBatch } from "../../../shared/engine/training/textBatches.ts";

const folder = (id: string) => fileURLToPath(new URL(`../../../shared/models/${id}`, import.meta.url));
const shipped = Object.keys(recipes).filter((id) => existsSync(folder(id)));
const encoders = shipped.filter((id) => id.includes("embed"));

/** Unit vectors of texts. */
async function vectorsOf(id: string, texts: readonly string[]): Promise<Float32Array[]> {
  const pretrained = await readPretrained(folder(id));
  const { encode } = await openEncoder(folder(id));
  const { output, scope } = buildModel(
    pretrained.model,
    { head: "similarity" },
    { inputs: textInputs(), scope: new WeightScope() },
  );
  const model = toOnnx({ outputs: { output }, initializers: weightsFor(pretrained, scope.parameters) });
  const session = await createSession(model, { threads: 1 });
  try {
    const { data, shape } = (await session.run(padBatch(texts.map(encode)))).output!;
    const width = shape[1]!;
    return texts.map((_, i) => (data as Float32Array).slice(i * width, (i + 1) * width));
  } finally {
    await session.release();
  }
}

const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const alike: Record<string, [string, string][]> = {
  "millrace-embed-en": [
    ["How do I reset my password?", "I forgot my password and need a new one."],
    ["A man is playing the guitar.", "Someone plays a guitar."],
    ["The flight to London was cancelled.", "They cancelled our flight to London."],
    ["My card has not arrived yet.", "When will my credit card arrive?"],
  ],
  "millrace-embed-zh": [
    ["怎么修改密码", "我想重新设置密码"],
    ["今天天气怎么样", "明天会下雨吗，天气如何"],
    ["给我放一首歌", "我想听音乐，播放歌曲"],
    ["附近有什么好吃的餐馆", "推荐一家附近的餐厅"],
  ],
};

describe("shipped bases", () => {
  it("are there, each with a card", () => {
    assert.ok(shipped.length > 0);
    for (const id of shipped) assert.ok(existsSync(join(folder(id), "README.md")), id);
  });

  for (const id of shipped) {
    it(`${id} takes at most 20 MB`, async () => {
      const names = (await readdir(folder(id))).filter((name) => name !== "README.md");
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder(id), name))).size));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(bytes <= 20_000_000, `${bytes}`);
    });

    it(`${id} reads any script without an unknown token, and tells texts apart`, async () => {
      const tokenizer = await readTokenizer(folder(id));
      const texts = [
        "สวัสดีครับ",
        "مرحبا بالعالم",
        "Привет, мир",
        "😀🎉",
        "नमस्ते",
        "გამარჯობა",
        "你好世界",
        "x".repeat(300),
        "\u0001\u0002",
      ];
      const unknown = tokenizer.idOf("[UNK]");
      const encoded = texts.map((text) => tokenizer.encodeBare(text));
      for (const [i, ids] of encoded.entries()) assert.ok(ids.length > 0 && !ids.includes(unknown ?? -1), texts[i]);
      assert.equal(new Set(encoded.map((ids) => ids.join(" "))).size, texts.length);
    });
  }

  for (const id of encoders) {
    it(`${id} puts texts that mean the same nearer than others`, async () => {
      const pairs = alike[id]!;
      const vectors = await vectorsOf(id, pairs.flat());
      for (const [i, pair] of pairs.entries()) {
        const partner = cosine(vectors[2 * i]!, vectors[2 * i + 1]!);
        for (let other = 0; other < vectors.length; other++) {
          if (Math.floor(other / 2) === i) continue;
          assert.ok(partner > cosine(vectors[2 * i]!, vectors[other]!), `${pair[0]} / ${pairs.flat()[other]}`);
        }
      }
    });

    it(`${id} is small outside its embeddings`, async () => {
      const { weights } = await readPretrained(folder(id));
      const inside = [...weights].filter(([name]) => !name.includes("_embeddings.") && !name.startsWith("generator_"));
      const count = inside.reduce((sum, [, { data }]) => sum + data.length, 0);
      assert.ok(count > 1e6 && count <= 12e6, `${count}`);
    });
  }
});

describe("the recipe command", () => {
  it("names the recipes there are, and what it cannot read", async () => {
    const call = { environment: {}, home: "/nowhere", print: () => {}, options: {} };
    await assert.rejects(
      runRecipeCommand({ ...call, subject: "other" }),
      /There is no recipe "other"; there are: millrace-embed-en/,
    );
    await assert.rejects(
      runRecipeCommand({ ...call, subject: "millrace-embed-en", options: { minutes: "soon" } }),
      /--minutes/,
    );
  });
});
