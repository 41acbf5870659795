/** Attributions add up to what they explain, land where they belong, and are exact where a model is a sum. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Attribution } from "../../../../shared/engine/attribution/attributor.ts";
import { attributors } from "../../../../shared/engine/attribution/attributors.ts";
import { gaussLegendre, integrate, tolerance } from "../../../../shared/engine/attribution/integratedGradients.ts";
import { alignTokens } from "../../../../shared/engine/attribution/spans.ts";
import { type ArchitectureName, architectures } from "../../../../shared/engine/models/architectures.ts";
import { mixSeeds } from "../../../../shared/engine/random.ts";
import { ngramPlaces, ngrams } from "../../../../shared/engine/text/ngrams.ts";
import { tokenize } from "../../../../shared/engine/text/tokens.ts";
import { readArtifact } from "../../../../shared/engine/training/artifact.ts";
import { type TrainingRequest, train } from "../../../../shared/engine/training/train.ts";
import { writeTinyBase } from "../../../support/tinyBase.ts";
import { rowsOf } from "../../../support/trainingData.ts";

let directory: string;
let base: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-attribution-"));
  base = await mkdtemp(join(directory, "base-"));
  await writeTinyBase(
    base,
    planted(60).map(({ text }) => text),
  );
});
after(() => rm(directory, { recursive: true, force: true }));

/** A label that depends on one word alone, wherever it stands. */
function planted(count: number) {
  const filler = ["the", "order", "came", "late", "again", "with", "box", "and", "note"];
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: 6 }, (_, place) => filler[(i * 7 + place * 5 + (i >> 3)) % filler.length]!);
    words.splice(i % 6, 0, i % 2 ? "refund" : "praise");
    return { text: words.join(" "), label: i % 2 };
  });
}

/** Weather, of which only the temperature and the wind decide. */
function weather(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const draw = (column: number, below: number) => mixSeeds(i, column) % below;
    const [degrees, wind] = [draw(0, 60), ["calm", "storm"][draw(1, 2)]!];
    const cells = { degrees: String(degrees), humidity: String(draw(2, 100)), wind };
    return { text: JSON.stringify(cells), label: degrees > 25 && wind === "calm" ? 1 : 0 };
  });
}

type Rows = readonly { text: string; label: number }[];

async function trained(architecture: ArchitectureName, rows: Rows, epochs: number) {
  const own = await mkdtemp(join(directory, "run-"));
  const [trainFile, validFile] = [join(own, "train.jsonl"), join(own, "valid.jsonl")];
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`);
  await writeFile(trainFile, lines.filter((_, i) => i % 5 > 0).join(""));
  await writeFile(validFile, lines.filter((_, i) => i % 5 === 0).join(""));
  const isImported = architecture === "pretrained";
  const request: TrainingRequest = {
    ...{ architecture, trainFile, validFile, directory: own, labels: ["no", "yes"], refit: false, seed: 1, threads: 1 },
    base: isImported ? { directory: base, digest: "b" } : null,
    hyperparameters: { n_epochs: epochs, batch_size: 8, learning_rate_multiplier: isImported ? 20 : 1 },
    ...{ checkpoint: null, checkpointSteps: 0, checkpointSeconds: 1e9 },
  };
  for await (const _ of train(request, new AbortController().signal));
  const { config, weights } = readArtifact(join(own, "model.safetensors"));
  const options = { config, weights, threads: 1, base: isImported ? base : null };
  return { config, weights, attributor: await attributors[architecture](options) };
}

function parts({ parts: found }: Attribution) {
  return "tokens" in found ? found.tokens : found.columns;
}

function assertComplete(attribution: Attribution, allowed?: number) {
  const difference = attribution.logit - attribution.baselineLogit;
  const sum = parts(attribution).reduce((total, part) => total + part.attribution, 0);
  const most = allowed ?? Math.max(tolerance.least, tolerance.share * Math.abs(difference));
  assert.ok(Math.abs(sum - difference) <= most, `${sum} for a difference of ${difference}`);
}

/** The token of most weight, as it stands in the text. */
function strongest(text: string, { parts: found }: Attribution): string {
  assert.ok("tokens" in found);
  const most = Math.max(...found.tokens.map(({ attribution }) => attribution));
  const { start, end } = found.tokens.find(({ attribution }) => attribution === most)!;
  return text.slice(start, end);
}

describe("the integral", () => {
  it("is exact for polynomials, by points and weights that sum to 1", () => {
    for (const count of [1, 2, 5, 16]) {
      const { places, weights } = gaussLegendre(count);
      for (let power = 0; power < 2 * count; power++) {
        const found = places.reduce((sum, place, i) => sum + weights[i]! * place ** power, 0);
        assert.ok(Math.abs(found - 1 / (power + 1)) < 1e-12, `${count} points, power ${power}: ${found}`);
      }
    }
  });

  it("takes as many points as a bend needs", async () => {
    // A ramp of 11 between two bends, so short that few points would miss it; its parts are equal by symmetry.
    const asked: number[] = [];
    const slopes = async (points: readonly Float32Array[]) => {
      asked.push(points.length);
      const ramp = points.map(([x, y]) => 55 * (x! + y!) - 93.5);
      const slopes = ramp.map((value) => (value > 0 && value < 11 ? 55 : 0));
      return {
        values: Float32Array.from(ramp, (value) => Math.min(11, Math.max(0, value))),
        slopes: Float32Array.from(slopes.flatMap((slope) => [slope, slope])),
      };
    };
    const { attributions, gap } = await integrate(slopes, Float32Array.of(1, 1), Float32Array.of(0, 0));
    assert.ok(gap <= tolerance.share * 11 && asked.length > 2, `${asked} ${gap}`);
    for (const part of attributions) assert.ok(Math.abs(part - 5.5) < 0.06);
  });
});

describe("tokens are found in the text", () => {
  const cases: [string, string[], string[]][] = [
    ["My Café's  late", ["my", "cafe", "'", "s", "late"], ["My", "Café", "'", "s", "late"]],
    ["unbelievable", ["un", "believ", "able"], ["un", "believ", "able"]],
    ["a ☃ b", ["a", "[UNK]", "b"], ["a", "☃", "b"]],
    ["我喜欢", ["我", "喜", "欢"], ["我", "喜", "欢"]],
    ["ＡＢＣ cafe\u0301 done", ["abc", "café", "done"], ["ＡＢＣ", "cafe\u0301", "done"]],
    ["x 👍 y", ["x", "\ufffd", "\ufffd", "y"], ["x", "👍", "👍", "y"]],
    ["only this is read of it", ["only", "this"], ["only", "this"]],
  ];
  for (const [text, tokens, expected] of cases) {
    it(text, () => {
      const found = alignTokens(text, tokens).map(({ start, end }) => text.slice(start, end));
      assert.deepEqual(found, expected);
    });
  }

  it("n-grams have the places they are made of", () => {
    const bag = ngrams("it's late, very late");
    const places = ngramPlaces("it's late, very late");
    assert.equal(
      places.length,
      bag.counts.reduce((sum, count) => sum + count, 0),
    );
    assert.ok(places.every(({ first, last }) => first >= 0 && last < bag.tokens && last - first < 3));
    assert.equal(ngramPlaces("").length, 2);
  });

  for (const [text, expected] of [
    ["a, 银行卡 没有", ["银行", "卡", "银行卡", "没有"]],
    ["コーヒーを", ["コーヒー", "を", "コーヒーを"]],
    ["บัตร", ["บัตร"]],
  ] as const) {
    it(`words of a dictionary are where their tokens are: ${text}`, () => {
      const tokens = Array.from(tokenize(text), (token) => token.text);
      const all = ngramPlaces(text);
      const words = all.slice(all.length - expected.length);
      assert.deepEqual(
        words.map(({ first, last }) => tokens.slice(first, last + 1).join("")),
        expected,
      );
    });
  }
});

describe("text models", () => {
  const text = "The order came with Refund, and a note";
  for (const [architecture, epochs] of [
    ["ngram", 8],
    ["encoder", 4],
    ["pretrained", 16],
  ] as const) {
    it(`${architecture}: the word that decides has the weight, and all weights add up`, async () => {
      const { attributor } = await trained(architecture, planted(72), epochs);
      const [no, yes] = await attributor.attribute(text, [0, 1]);
      for (const attribution of [no!, yes!]) assertComplete(attribution);
      assert.ok(yes!.logit > no!.logit);
      assert.equal(strongest(text, yes!), "Refund");
      const praise = "note the praise with order late";
      assert.equal(strongest(praise, (await attributor.attribute(praise, [0]))[0]!), "praise");
      await attributor.release();
    });
  }

  it("ngram: logits are those of the classifier, and parts exact", async () => {
    const { attributor, weights } = await trained("ngram", planted(72), 4);
    const classifier = await architectures.ngram.createClassifier!(weights, { classes: 2, threads: 1 });
    for (const asked of [text, "refund refund", "nothing known 4711"]) {
      const [logits] = (await classifier.classify([asked])).logits;
      const found = await attributor.attribute(asked, [0, 1]);
      for (const [label, attribution] of found.entries()) {
        assertComplete(attribution, 1e-9);
        assert.ok(Math.abs(attribution.logit - logits![label]!) < 1e-4);
      }
    }
    await classifier.release();
  });
});

describe("models of tables", () => {
  it("what decides has the weight, and all weights add up to the classifier's own logits", async () => {
    const { attributor, config, weights } = await trained("tabular", weather(400), 16);
    const classifier = await architectures.tabular.createClassifier!(weights, {
      ...{ classes: 2, threads: 1, table: config.table },
    });
    // Of a calm day the wind speaks for "yes"; of a cold and calm one the temperature for "no".
    const cases = [
      [{ degrees: "50", humidity: "40", wind: "calm" }, 1, "wind"],
      [{ degrees: "3", humidity: "40", wind: "calm" }, 0, "degrees"],
    ] as const;
    for (const [cells, label, decides] of cases) {
      const row = JSON.stringify(cells);
      const [logits] = (await classifier.classify([row])).logits;
      const [attribution] = await attributor.attribute(row, [label]);
      assertComplete(attribution!);
      assert.ok(Math.abs(attribution!.logit - logits![label]!) < 1e-4);
      assert.ok("columns" in attribution!.parts);
      const found = new Map(attribution!.parts.columns.map(({ name, attribution }) => [name, attribution]));
      assert.deepEqual([...found.keys()], ["degrees", "humidity", "wind"]);
      assert.equal(found.get(decides), Math.max(...found.values()));
      assert.ok(found.get(decides)! > 3 * Math.abs(found.get("humidity")!), JSON.stringify([...found]));
    }
    await Promise.all([classifier.release(), attributor.release()]);
  });

  it("a sum over columns is explained exactly: a column's part is its own share of the logit", async () => {
    const { attributor, config } = await trained("tabular", weather(40), 1);
    assert.equal(config.table!.model, "additive");
    const ask = async (cells: object) => (await attributor.attribute(JSON.stringify(cells), [1]))[0]!;
    const [one, other] = [await ask({ degrees: "50", wind: "calm" }), await ask({ degrees: "50", wind: "storm" })];
    const part = (attribution: Attribution, at: number) => parts(attribution)[at]!.attribution;
    assertComplete(one, 1e-5);
    assert.ok(Math.abs(part(one, 0) - part(other, 0)) < 1e-6);
    assert.ok(Math.abs(part(one, 2) - part(other, 2) - (one.logit - other.logit)) < 1e-5);
    await attributor.release();
  });
});

it("rows of other training data are explained by the same code", async () => {
  const rows = rowsOf(12).map(({ text, label }) => ({ text, label: label === "billing" ? 1 : 0 }));
  const { attributor } = await trained("ngram", rows, 4);
  const [attribution] = await attributor.attribute("", [1]);
  assert.deepEqual(parts(attribution!), []);
});
