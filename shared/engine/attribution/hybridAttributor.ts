/** Attribution for a model of two parts, whose logits are a sum: what its n-grams add and what its base adds, token by token. */
import type { Attribution, Attributor, AttributorOptions, TokenAttribution } from "./attributor.ts";
import { createNgramAttributor } from "./ngramAttributor.ts";
import { createAdaptedAttributor } from "./textAttributor.ts";

export async function createHybridAttributor(options: AttributorOptions): Promise<Attributor> {
  const isOverBase = ([name]: [string, unknown]) => /^(base_model|classifier)\./.test(name);
  const [ngrams, base] = await Promise.all([
    createNgramAttributor(options),
    createAdaptedAttributor({ ...options, weights: new Map([...options.weights].filter(isOverBase)) }),
  ]);
  return {
    async attribute(text, labels, turn) {
      const own = await ngrams.attribute(text, labels, turn);
      const added = await base.attribute(text, labels, turn);
      return own.map((attribution, i) => sumOf(attribution, added[i]!));
    },
    async release() {
      await Promise.all([ngrams.release(), base.release()]);
    },
  };
}

function sumOf(a: Attribution, b: Attribution): Attribution {
  return {
    logit: a.logit + b.logit,
    baselineLogit: a.baselineLogit + b.baselineLogit,
    parts: { tokens: spread(tokensOf(b), tokensOf(a)) },
  };
}

const tokensOf = ({ parts }: Attribution) => ("tokens" in parts ? parts.tokens : []);

/** Both models cut the text in their own way: what one's token adds is divided among the other's by the letters they share. */
function spread(from: readonly TokenAttribution[], over: readonly TokenAttribution[]): TokenAttribution[] {
  const sums = over.map((token) => ({ ...token }));
  const strays: TokenAttribution[] = [];
  for (const token of from) {
    const shared = sums.map(({ start, end }) => Math.max(0, Math.min(end, token.end) - Math.max(start, token.start)));
    const letters = shared.reduce((sum, count) => sum + count, 0);
    if (letters === 0) strays.push({ ...token });
    else for (const [i, count] of shared.entries()) sums[i]!.attribution += (token.attribution * count) / letters;
  }
  return [...sums, ...strays].sort((a, b) => a.start - b.start);
}
