/** A base learns what another says of texts: more of it than words alone say, and the same though it was cut on the way. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { writeStart } from "../../../../infra/models/recipes/english.ts";
import { englishTokenizer, specialTokens } from "../../../../infra/models/recipes/englishVocabulary.ts";
import { type ElectraShape, freshElectra } from "../../../../infra/models/recipes/freshElectra.ts";
import { type Lesson, sentenceStage } from "../../../../infra/models/recipes/sentenceStage.ts";
import { vectorsOf } from "../../../../infra/models/recipes/vectorsOf.ts";
import { normals } from "../../../../shared/engine/index.ts";

const words = "the cat dog house runs sleeps sees likes big small red not every a".split(" ");
const tokens = [...specialTokens, ...words];
const shape: ElectraShape = {
  ...{ vocabulary: tokens.length, embedding: 12, hidden: 32, heads: 2 },
  ...{ intermediate: 48, layers: 2, positions: 16 },
};
const encoderColumns = 6;

/** Two words behind each other mean more than both: that no mean of words can tell. */
function lesson(): Lesson {
  const meaning = normals(words.length * words.length * encoderColumns, { seed: 4, stream: 1, deviation: 1 });
  const own = normals(words.length * encoderColumns, { seed: 5, stream: 1, deviation: 1 });
  const pairs = words.flatMap((_, a) => words.map((_, b) => [a, b] as const)).filter(([a, b]) => a !== b);
  const data = pairs.flatMap(([a, b]) =>
    Array.from({ length: encoderColumns }, (_, i) => {
      const together = meaning[(a * words.length + b) * encoderColumns + i]!;
      return own[a * encoderColumns + i]! + own[b * encoderColumns + i]! + together;
    }),
  );
  const texts = pairs.map(([a, b]) => `${words[a]} ${words[b]}`);
  return { texts, encoded: { width: encoderColumns, data: Float32Array.from(data) } };
}

const pace = { steps: 150, tokens: 256, rate: 5e-3, tableRate: 0, words: 0.7, held: 20, longest: 8, fitted: 182 };

describe("learning what a sentence encoder says", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-sentences-"));
    const table = normals(tokens.length * shape.embedding, { seed: 6, stream: 1, deviation: 1 });
    const weights = freshElectra(shape, table, new Float32Array(tokens.length), 7);
    await writeStart(join(folder, "base"), shape, weights, englishTokenizer(tokens));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What was told, and the directory that was left; cut before step `cut`. */
  async function learned(name: string, { cut, first }: { cut?: number; first?: number } = {}) {
    const told: string[] = [];
    const work = join(folder, name);
    await mkdir(work, { recursive: true });
    const abort = new AbortController();
    let steps = 0;
    const signal = Object.defineProperty(abort.signal, "aborted", { get: () => steps++ === cut });
    const place = { packages: "", shared: "", tell: (line: string) => void told.push(line), signal };
    const stage = sentenceStage("1-sentences", async () => lesson(), {
      ...pace,
      ...(first !== undefined && { first }),
    });
    const left = await stage.run(join(folder, "base"), work, { work, place, threads: 1 });
    return { told, left, work };
  }

  const shareOf = (line: string | undefined) => Number(/([\d.]+) %/.exec(line ?? "")?.[1]);

  it("says more than what words say alone", async () => {
    const { told, left } = await learned("whole");
    assert.ok(left);
    const alone = shareOf(told.find((line) => line.includes("before")));
    const together = shareOf(told.findLast((line) => line.includes("step 150")));
    assert.ok(alone > 20 && alone < 75, told.join("\n"));
    assert.ok(together > alone + 15, told.join("\n"));
  });

  it("ends in the same weights when it is cut and goes on", async () => {
    const first = await learned("cut", { cut: 60 });
    assert.equal(first.left, undefined);
    assert.deepEqual(await readdir(first.work), ["checkpoint-60.safetensors"]);
    const second = await learned("cut");
    const [one, other] = await Promise.all(
      ["whole", "cut"].map((name) => readFile(join(folder, name, "learned/model.safetensors"))),
    );
    assert.ok(second.told.every((line) => !line.includes("before")));
    assert.ok(one!.equals(other!));
  });

  it("leaves in the end what was asked for of the first column, and all of the others", async () => {
    const half = await learned("half", { first: 0.5 });
    const texts = lesson().texts.slice(0, 20);
    const [whole, quieter] = [
      await vectorsOf(join(folder, "whole/learned"), texts, 1),
      await vectorsOf(half.left!, texts, 1),
    ];
    for (const [i, value] of whole.data.entries()) {
      const expected = i % whole.width === 0 ? value / 2 : value;
      assert.ok(Math.abs(quieter.data[i]! - expected) < 1e-5, `${i}: ${quieter.data[i]}, not ${expected}`);
    }
  });
});
