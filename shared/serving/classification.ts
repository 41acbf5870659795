/** Labels for texts, by a project's own model: one that stands alone, an adapter over an imported base, or the sum of both. */
import { weightedSum } from "../engine/race/combination.ts";
import { withOutOfScope } from "../engine/race/outOfScope.ts";
import type { Prediction } from "../engine/runtime/deviceProtocol.ts";
import { probabilities } from "../engine/training/evaluation.ts";
import type { BaseReader } from "./baseReader.ts";
import { createBatcher } from "./batcher.ts";
import type { ModelHost } from "./host.ts";
import type { HostContext } from "./hostContext.ts";
import type { ServingLimits } from "./limits.ts";
import type { OpenModelFile } from "./modelFiles.ts";

/** Of a model that stands alone no tokens are known before it has read; English has about this many letters in one. */
const lettersPerToken = 4;

interface Item {
  artifact: string;
  digest: string;
  text: string;
}

export function createClassification(
  context: HostContext,
  reader: BaseReader,
  limits: ServingLimits,
): Pick<ModelHost, "classify"> {
  const batcher = createBatcher<Item, Prediction>({
    ...limits,
    mostBatches: 2,
    lengthOf: ({ text }) => 1 + text.length / lettersPerToken,
    run: (_lane, items) => {
      const { artifact, digest } = items[0]!;
      return context.call("predict", { artifact, digest, texts: items.map(({ text }) => text) });
    },
  });

  const predict = (file: OpenModelFile, digest: string, texts: readonly string[], signal?: AbortSignal) => {
    const item = { artifact: file.path, digest };
    return Promise.all(texts.map((text) => batcher.ask(file.path, { ...item, text }, signal)));
  };

  return {
    async classify(model, texts, signal) {
      const file = await context.models.open(model);
      try {
        const { labels, temperature, thresholds = [], outOfScope, base, architecture } = file.config;
        const predictions = await Promise.all([
          base && model.base ? readTexts({ base: model.base, tuned: { model, file } }, texts, signal) : [],
          base && architecture !== "hybrid" ? [] : predict(file, model.digest, texts, signal),
        ]);
        return sumOf(predictions.filter(({ length }) => length > 0)).map(({ logits, tokens, known }) => {
          const judged = outOfScope ? withOutOfScope(logits, outOfScope) : logits;
          return { labels, probabilities: probabilities(judged, temperature), tokens, known, thresholds };
        });
      } finally {
        file.close();
      }
    },
  };

  async function readTexts(
    subject: Parameters<BaseReader["read"]>[0],
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<Prediction[]> {
    const { encode, specialTokens } = await context.encoders.open(subject.base);
    const encoded = texts.map(encode);
    const logits = await reader.read(subject, encoded, "logits", signal);
    return encoded.map(({ length }, i) => ({ logits: logits[i]!, tokens: length, known: length > specialTokens }));
  }
}

/** What the parts of a model say together, text by text. */
function sumOf([first = [], ...others]: readonly Prediction[][]): Prediction[] {
  return others.reduce((sum, part) => {
    return sum.map(({ logits, tokens, known }, i) => ({
      logits: weightedSum([logits, part[i]!.logits], [1, 1]),
      tokens,
      known: known || part[i]!.known,
    }));
  }, first);
}
