/** Texts chosen from corpora: none twice, none that does not fit, and the same ones whenever they are asked for. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { chosenTexts, passagesOf } from "../../../../infra/models/recipes/chosenTexts.ts";
import { sentencesOf } from "../../../../shared/engine/pretraining/passages.ts";

describe("texts chosen from corpora", () => {
  let folder: string;
  const files = () => ["few", "many"].map((name) => ({ path: join(folder, `${name}.jsonl`) }));
  const choice = { most: { "few.jsonl": 10, "many.jsonl": 5 }, isText: /[a-z] /, length: [8, 30], count: 12 } as const;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-texts-"));
    const lines = (texts: readonly string[]) => texts.map((text) => JSON.stringify({ text })).join("\n");
    await writeFile(files()[0]!.path, lines(["A cat sleeps. A dog runs. A cat sleeps.", "Short.", "x".repeat(40)]));
    await writeFile(files()[1]!.path, lines(Array.from({ length: 20 }, (_, i) => `They see ${i} houses.`)));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("are of the right length, each once, and no more of a file than is asked for", async () => {
    const found = await chosenTexts(choice, sentencesOf, files());
    assert.equal(found.length, 7);
    assert.equal(new Set(found).size, 7);
    assert.ok(found.includes("A cat sleeps.") && found.includes("A dog runs."));
  });

  it("are the same ones at each call", async () => {
    const [one, other] = [
      await chosenTexts(choice, sentencesOf, files()),
      await chosenTexts(choice, sentencesOf, files()),
    ];
    assert.deepEqual(one, other);
  });

  it("may be passages: as many sentences as have room", () => {
    assert.deepEqual(
      [...passagesOf(26)("A cat sleeps. A dog runs. They see it.")],
      ["A cat sleeps. A dog runs.", "They see it."],
    );
  });
});
