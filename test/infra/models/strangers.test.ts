/** Folders of a stranger's making: what leads out of them, never ends, or works only until it is used, is refused. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, rename, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openOnnx } from "../../../infra/models/onnxModel.ts";
import { openFolder } from "../../../infra/models/source.ts";
import { wordPiece } from "../../../shared/engine/tokenizers/wordPiece.ts";
import { tinyBuilt, tinyConfigs, withDirectory } from "../../shared/engine/models/tinyModels.ts";
import { doublerOnnx } from "../../support/doublerOnnx.ts";
import { tinyCheckpoint } from "../../support/tinyCheckpoint.ts";

const files = tinyCheckpoint();
const refusedAfter = (spoil: (folder: string) => Promise<unknown>, message: RegExp, content: object = files) =>
  withDirectory(content as typeof files, async (folder) => {
    await openFolder(folder);
    await spoil(folder);
    await assert.rejects(openFolder(folder), message);
  });

describe("a folder is refused", () => {
  it("where a link leads out of it, whatever it leads to", async () => {
    for (const target of ["/etc/hostname", "../../etc/hostname", "/nowhere/at/all"]) {
      await refusedAfter(
        (folder) => symlink(target, join(folder, "chat_template.jinja")),
        /chat_template\.jinja is a link (that leads out of its folder|to nothing)/,
      );
    }
  });

  it("where a file is a pipe, which may have no end", async () => {
    const pipe = async (folder: string) => execFileSync("mkfifo", [join(folder, "tokenizer_config.json")]);
    await refusedAfter(pipe, /tokenizer_config\.json is no file/);
  });

  it("where a file is larger than any such file is", async () => {
    const grow = (name: string, bytes: number) => async (folder: string) => {
      await writeFile(join(folder, name), "");
      await truncate(join(folder, name), bytes);
    };
    await refusedAfter(grow("tokenizer.json", 2 ** 29), /tokenizer\.json has 536870912 bytes; at most 268435456/);
    await refusedAfter(grow("model.safetensors", 2 ** 31), /at most 2147483647 can be read; save it in shards/);
  });

  it("where JSON is nested deeper than it can be walked, or asks for more than there is memory", async () => {
    const put = (name: string, text: string) => (folder: string) => writeFile(join(folder, name), text);
    await refusedAfter(
      put("tokenizer_config.json", `{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`),
      /more than 100 deep/,
    );
    const config = (change: object) => put("config.json", JSON.stringify({ ...files["config.json"], ...change }));
    await refusedAfter(
      config({ num_hidden_layers: 1e9 }),
      /"num_hidden_layers" must be at most 1024, and is 1000000000/,
    );
    await refusedAfter(config({ vocab_size: 2 ** 40 }), /"vocab_size" must be at most 67108864/);
    const llama = tinyBuilt("llama", { head: "causal" }).weights;
    const own = { "config.json": tinyConfigs.llama, "vocab.txt": files["vocab.txt"], "model.safetensors": llama };
    const longer = (change: object) => put("config.json", JSON.stringify({ ...tinyConfigs.llama, ...change }));
    await refusedAfter(longer({ max_position_embeddings: 2 ** 26 }), /positions of heads 8 wide are too many/, own);
    await refusedAfter(longer({ head_dim: 7 }), /heads must be of even width, not 7/, own);
  });

  it("where its tokenizer or template fails only when used", async () => {
    const plain = wordPiece(files["vocab.txt"], {});
    const put = (change: object) => (folder: string) =>
      writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...plain, ...change }));
    const template = { post_processor: { type: "TemplateProcessing", single: 7 } };
    await refusedAfter(put(template), /The tokenizer fails at a text/);
    const model = { type: "WordPiece", unk_token: 5, vocab: { "[UNK]": 0 }, continuing_subword_prefix: "##" };
    await refusedAfter(put({ model }), /The tokenizer gives a token undefined, which is no id/);
    const weights = tinyBuilt("gpt2", { head: "causal" }).weights;
    const gpt2 = { "config.json": tinyConfigs.gpt2, "vocab.txt": files["vocab.txt"], "model.safetensors": weights };
    const broken = (folder: string) => writeFile(join(folder, "chat_template.jinja"), "{% for %}");
    await refusedAfter(broken, /The chat template cannot be used/, gpt2);
  });
});

describe("a folder is taken", () => {
  it("where links stay within it, or lead to the blobs of the hub's cache", async () => {
    await withDirectory(files, async (folder) => {
      const snapshot = join(folder, "models--org--tiny", "snapshots", "0a1b");
      const blobs = join(folder, "models--org--tiny", "blobs");
      for (const place of [snapshot, blobs]) await mkdir(place, { recursive: true });
      for (const name of ["config.json", "vocab.txt", "model.safetensors"]) {
        await rename(join(folder, name), join(blobs, name));
        await symlink(join("..", "..", "blobs", name), join(snapshot, name));
      }
      assert.deepEqual((await openFolder(snapshot)).files, ["config.json", "vocab.txt", "model.safetensors"]);
    });
  });
});

it("an ONNX file that is no plain file is refused", async () => {
  await withDirectory({}, async (folder) => {
    const path = join(folder, "model.onnx");
    execFileSync("mkfifo", [path]);
    await assert.rejects(openOnnx(path, "model"), /is no file that can be read/);
    await writeFile(join(folder, "real.onnx"), doublerOnnx());
    assert.equal((await openOnnx(join(folder, "real.onnx"), "model")).signature.inputs.length, 2);
  });
});
