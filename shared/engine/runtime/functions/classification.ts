/** Models that stand alone, each with a session of its own, kept until they are unloaded. */
import { architectures, type Classifier } from "../../models/architectures.ts";
import { readArtifact } from "../../training/artifact.ts";
import { probabilities } from "../../training/evaluation.ts";
import type { BaseDirectory } from "../../training/train.ts";
import type { Implementations } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { inTurn } from "./inTurn.ts";

interface LoadedModel {
  labels: string[];
  temperature: number;
  classifier: Classifier;
}

const models = new Map<string, Promise<LoadedModel>>();

export const classification: Implementations<"predict" | "unload"> = {
  async predict({ artifact, base, texts }) {
    const { labels, temperature, classifier } = await loaded(artifact, base);
    const { logits, tokens, known } = await inTurn(() => classifier.classify(texts));
    const predictions = logits.map((row, i) => {
      return { probabilities: probabilities(row, temperature), tokens: tokens[i]!, known: known[i]! };
    });
    return { labels, predictions };
  },
  async unload({ artifact }) {
    const model = models.get(artifact);
    models.delete(artifact);
    await (await model)?.classifier.release();
  },
};

function loaded(artifact: string, base: BaseDirectory | null): Promise<LoadedModel> {
  const known = models.get(artifact);
  if (known) return known;
  const model = load(artifact, base);
  models.set(artifact, model);
  model.catch(() => models.delete(artifact));
  return model;
}

async function load(path: string, base: BaseDirectory | null): Promise<LoadedModel> {
  const { config, weights } = readArtifact(path);
  const { architecture, labels, temperature } = config;
  if (config.base?.digest !== base?.digest) throw new Error(`The model belongs to base ${config.base?.digest}`);
  const options = {
    classes: labels.length,
    threads: deviceThreads(),
    base: base?.directory ?? null,
    adapter: config.base?.adapter,
  };
  const classifier = await architectures[architecture].createClassifier(weights, options);
  return { labels, temperature, classifier };
}
