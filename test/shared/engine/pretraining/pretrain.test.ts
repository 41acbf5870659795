/** Pre-training learns, can be cut anywhere, and leaves a base that loads. */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readPretrained } from "../../../../shared/engine/models/pretrained.ts";
import { readTokenizer } from "../../../../shared/engine/tokenizers/tokenizer.ts";
import { events, finished, quickRequest, type TinyKind, withTinyBase } from "./tinyCorpus.ts";

const request = (place: { base: string; texts: string; directory: string }, name: string) => ({
  ...quickRequest,
  base: { directory: place.base, digest: "d" },
  textFiles: [{ path: place.texts }],
  directory: join(place.directory, name),
});

async function folder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

describe("pre-training", () => {
  for (const kind of ["electra", "llama"] satisfies TinyKind[]) {
    it(`lowers the perplexity of held-out documents: ${kind}`, async () => {
      await withTinyBase(kind, async (place) => {
        const asked = request(place, "a");
        await folder(asked.directory);
        const all = await events(asked);
        const { perplexity, path, history } = finished(all);
        assert.equal(history[0]!.stage, kind === "electra" ? "masked" : "causal");
        assert.ok(perplexity!.after < perplexity!.before / 2, `${perplexity!.before} to ${perplexity!.after}`);
        const { weights } = await readPretrained(path);
        assert.ok(weights.size > 10);
        assert.ok((await readTokenizer(path)).encode("the cat").input_ids.length > 0);
      });
    });
  }

  it("ends in the same bytes when it was cut and taken up, in either stage", async () => {
    await withTinyBase("electra", async (place) => {
      const whole = {
        ...request(place, "whole"),
        contrastive: true,
        settings: { ...quickRequest.settings, tokenSteps: 6, contrastiveSteps: 6 },
      };
      await folder(whole.directory);
      const expected = await readFile(join(finished(await events(whole)).path, "model.safetensors"));
      for (const cut of [3, 6, 9]) {
        const part = { ...whole, directory: join(place.directory, `cut${cut}`) };
        await folder(part.directory);
        const last = (await events(part, cut)).at(-1)!;
        assert.ok(last.type === "checkpoint" && last.step === cut);
        const rest = await events({ ...part, checkpoint: last.path });
        const found = await readFile(join(finished(rest).path, "model.safetensors"));
        assert.ok(expected.equals(found), `cut after ${cut}`);
        assert.equal(finished(rest).history.length, 12);
      }
    });
  });

  it("learns in the contrastive stage which sentences belong together", async () => {
    await withTinyBase("electra", async (place) => {
      const asked = {
        ...request(place, "pairs"),
        contrastive: true,
        settings: { ...quickRequest.settings, tokenSteps: 0, neighbours: 0, contrastiveSteps: 60 },
      };
      await folder(asked.directory);
      const { history, perplexity } = finished(await events(asked));
      assert.equal(perplexity, null, "no tokens were asked for");
      const mean = (records: typeof history) =>
        records.reduce((sum, { train_loss }) => sum + train_loss, 0) / records.length;
      assert.ok(mean(history.slice(-10)) < 0.8 * mean(history.slice(0, 10)));
    });
  });

  it("refuses a checkpoint of another run, and names a faulty line", async () => {
    await withTinyBase("electra", async (place) => {
      const asked = request(place, "a");
      await folder(asked.directory);
      const last = (await events(asked, 1)).at(-1)!;
      assert.ok(last.type === "checkpoint");
      await assert.rejects(events({ ...asked, seed: 6, checkpoint: last.path }), /another run/);
      const faulty = join(place.directory, "faulty.jsonl");
      await writeFile(faulty, '{"text":"fine"}\n{"text":5}\n');
      await assert.rejects(
        events({ ...asked, textFiles: [{ path: faulty }] }),
        /faulty.jsonl, line 2: "text" must be a string/,
      );
    });
  });
});
