/** Attribution for `millrace-ngram`, exact: a logit is a sum over n-grams, and each n-gram's part is its tokens', evenly. */
import { storedVectors } from "../models/ngramClassifier.ts";
import { ngramPlaces, ngrams } from "../text/ngrams.ts";
import { tokenize } from "../text/tokens.ts";
import { vectorizer } from "../text/vocabulary.ts";
import type { Attribution, Attributor, AttributorOptions } from "./attributor.ts";
import { alignTokens } from "./spans.ts";

export async function createNgramAttributor({ config, weights }: AttributorOptions): Promise<Attributor> {
  const { buckets, scales, weight, bias } = storedVectors(weights);
  const toRow = vectorizer({ buckets, scales });
  const classes = config.labels.length;

  /** What one occurrence of each n-gram adds to a label's logit, by bucket. */
  const partsOf = (text: string, label: number): Map<number, number> => {
    const bag = ngrams(text);
    const counts = new Map(Array.from(bag.buckets, (bucket, i) => [bucket, bag.counts[i]!]));
    const { indices, values } = toRow(bag);
    return new Map(
      Array.from(indices, (feature, i) => {
        const bucket = buckets[feature]!;
        return [bucket, (values[i]! * weight[feature * classes + label]!) / counts.get(bucket)!];
      }),
    );
  };

  const attribute = (text: string, label: number): Attribution => {
    const tokens = Array.from(tokenize(text), (token) => token.text);
    const parts = partsOf(text, label);
    const sums = new Float64Array(tokens.length);
    for (const { bucket, first, last } of ngramPlaces(text)) {
      const share = (parts.get(bucket) ?? 0) / (last - first + 1);
      for (let at = first; at <= last; at++) if (at < sums.length) sums[at]! += share;
    }
    const spans = alignTokens(text, tokens);
    const baselineLogit = bias[label]!;
    return {
      logit: sums.reduce((sum, part) => sum + part, baselineLogit),
      baselineLogit,
      parts: { tokens: spans.map((span, i) => ({ ...span, attribution: sums[i]! })) },
    };
  };

  return {
    attribute: async (text, labels) => labels.map((label) => attribute(text, label)),
    release: async () => {},
  };
}
