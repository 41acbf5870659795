/** A model host whose answers can be told in advance: a label is the likelier the more often the text says it. */
import type { Threshold } from "../../shared/engine/training/thresholds.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { fakeWrite } from "./fakeWriter.ts";

export interface FakeHost extends ModelHost {
  /** Labels of the models that have others than `ham` and `spam`. */
  labels: Map<string, readonly string[]>;
  /** Of the models whose answers are not nine of ten times right from 0.6 on. */
  thresholds: Map<string, readonly Threshold[]>;
  /** What was asked, in order. */
  asked: { model: string; texts: readonly string[] }[];
}

/** Each mention weighs nine times as much as being a label at all. */
const mentionWeight = 9;

export function fakeHost(): FakeHost {
  const labels: FakeHost["labels"] = new Map();
  const thresholds: FakeHost["thresholds"] = new Map();
  const asked: FakeHost["asked"] = [];
  return {
    labels,
    thresholds,
    asked,
    async classify(model, texts) {
      asked.push({ model: model.id, texts });
      const fitted = { thresholds: thresholds.get(model.id) ?? [{ precision: 0.9, confidence: 0.6 }] };
      return texts.map((text) => ({ ...classify(text, labels.get(model.id) ?? ["ham", "spam"]), ...fitted }));
    },
    async embed(model, inputs) {
      asked.push({ model: model.id, texts: inputs.map(String) });
      return inputs.map((input) => ({ vector: letterVector(String(input)), tokens: input.length }));
    },
    generate: (_, request) => fakeWrite(request),
    // Every output is the first input again.
    async infer(model, { inputs, outputs }) {
      const [first] = Object.values(inputs);
      asked.push({ model: model.id, texts: Object.keys(inputs) });
      return Object.fromEntries(outputs.map((name) => [name, first!]));
    },
    // Each word adds 1 to the label that it is.
    async attribute(model, text, labels) {
      asked.push({ model: model.id, texts: [text] });
      return labels.map((label) => {
        const tokens = Array.from(text.matchAll(/\p{L}+/gu), ({ 0: word, index: start }) => {
          return { start, end: start + word.length, attribution: word === label ? 1 : 0 };
        });
        return {
          logit: tokens.reduce((sum, { attribution }) => sum + attribution, 0),
          baselineLogit: 0,
          parts: { tokens },
        };
      });
    },
    prefetch() {},
    async close() {},
  };
}

function classify(text: string, labels: readonly string[]) {
  const weights = labels.map((label) => 1 + mentionWeight * (text.split(label).length - 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const words = text.match(/\p{L}+/gu) ?? [];
  return {
    labels,
    probabilities: weights.map((weight) => weight / total),
    tokens: words.length,
    known: words.length > 0,
  };
}

/** How often each letter a to z occurs, as a vector of length 1: texts of the same letters are alike. */
function letterVector(text: string): Float32Array {
  const counts = new Float32Array(26);
  for (const letter of text.toLowerCase()) {
    const place = letter.charCodeAt(0) - 97;
    if (place >= 0 && place < 26) counts[place]!++;
  }
  const length = Math.hypot(...counts) || 1;
  return counts.map((count) => count / length);
}
