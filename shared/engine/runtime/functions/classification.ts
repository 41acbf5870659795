/** Models that stand alone, each with a session of its own, kept until they are unloaded. */
import { keptPromise } from "../../keptPromise.ts";
import { type Architecture, architectures, type Classifier } from "../../models/architectures.ts";
import { readArtifact } from "../../training/artifact.ts";
import type { Implementations } from "../deviceProtocol.ts";
import { deviceThreads } from "../deviceThreads.ts";
import { forgetAttribution } from "./attribution.ts";
import { inTurn } from "./inTurn.ts";

const models = new Map<string, Promise<Classifier>>();

export const classification: Implementations<"predict" | "unload"> = {
  async predict({ artifact, digest, texts }) {
    const classifier = await keptPromise(models, artifact, () => load(artifact, digest));
    const { logits, tokens, known } = await inTurn(() => classifier.classify(texts));
    return logits.map((row, i) => ({ logits: row, tokens: tokens[i]!, known: known[i]! }));
  },
  async unload({ artifact }) {
    const model = models.get(artifact);
    models.delete(artifact);
    forgetAttribution(artifact);
    await (await model)?.release();
  },
};

async function load(path: string, digest: string): Promise<Classifier> {
  const { config, weights } = readArtifact(path, digest);
  const { createClassifier } = architectures[config.architecture] as Architecture;
  if (!createClassifier) throw new Error(`${path} belongs to a base`);
  return createClassifier(weights, { classes: config.labels.length, threads: deviceThreads(), table: config.table });
}
