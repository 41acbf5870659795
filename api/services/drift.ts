/** Drift as a client sees it: compared on a thread, a few at a time, and remembered for a while. */
import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type DriftQuestion, driftLimits, driftOf } from "../../shared/drift/drift.ts";
import { ApiError, notFound } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import { isEmbedder } from "../../shared/inference/embedder.ts";
import type { Meter } from "../../shared/inference/metered.ts";
import type { ModelLookUp } from "../../shared/inference/modelLookUp.ts";
import type { DriftReport } from "../../shared/schemas/drift.ts";
import type { Project } from "../../shared/schemas/project.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import type { Stores } from "../../shared/stores/stores.ts";

export interface DriftWish extends Pick<DriftQuestion, "since" | "reference" | "window" | "alpha" | "seed"> {
  /** Whose vectors of texts are compared; absent: hashed n-grams. */
  base?: string | undefined;
}

export interface DriftService {
  ofModel(project: Project, id: string, wish: DriftWish): Promise<DriftReport>;
  ofFunction(project: Project, name: string, wish: DriftWish): Promise<DriftReport>;
}

const rememberedMilliseconds = 30_000;
const mostRemembered = 1000;
/** Each is a thread at full speed for a second or so. */
const mostAtOnce = 2;
const textsAtOnce = 64;

interface Asked {
  project: Project;
  of: DriftQuestion["of"];
  wish: DriftWish;
}

export function createDriftService(
  stores: Pick<Stores, "inferences" | "functions">,
  models: Pick<ModelLookUp, "callable">,
  host: Pick<ModelHost, "embed">,
  meter: Meter,
): DriftService {
  let running = 0;
  const find = async ({ project, of, wish }: Asked): Promise<DriftReport> => {
    if (running >= mostAtOnce)
      throw new ApiError("overloaded", "Other drifts are being looked at; try again in a moment.");
    running++;
    try {
      const { base, ...question } = wish;
      const embed = base === undefined ? undefined : await embedderOf(project, base);
      const { drifted, reference, window, comparison } = await driftOf(stores, project.id, { of, ...question, embed });
      const { p_value = null, measures = [], labels = [], examples = [] } = comparison ?? {};
      const { alpha = driftLimits.alpha.usual, seed = 1 } = wish;
      const whose = { model: null, function: null, ...of };
      return {
        object: "drift",
        ...whose,
        drifted,
        alpha,
        seed,
        p_value,
        reference,
        window,
        measures,
        labels,
        examples,
      };
    } finally {
      running--;
    }
  };
  const embedderOf = async (project: Project, base: string) => {
    const model = await models.callable(project, base, "base");
    if (!isEmbedder(model)) {
      const message = `'${base}' gives no vectors: name an imported base model, or a model tuned over one.`;
      throw new ApiError("invalid_value", message, { param: "base" });
    }
    return async (texts: string[]) => {
      const vectors: Float32Array[] = [];
      let input_tokens = 0;
      for (let start = 0; start < texts.length; start += textsAtOnce) {
        const embedded = await host.embed(model, texts.slice(start, start + textsAtOnce));
        vectors.push(...embedded.map(({ vector }) => vector));
        input_tokens += embedded.reduce((sum, { tokens }) => sum + tokens, 0);
      }
      const requests = Math.ceil(texts.length / textsAtOnce);
      const usage = { input_tokens, output_tokens: 0 };
      const work = { id: newId("request"), endpoint: "/v1/embeddings", model: model.id, usage, requests };
      if (requests) await meter.add(project.id, work);
      return vectors;
    };
  };
  const remembered = new LRUCache<string, DriftReport, Asked>({
    ...{ max: mostRemembered, ttl: rememberedMilliseconds },
    fetchMethod: (_key, _stale, { context }) => find(context),
  });
  const report = async (asked: Asked): Promise<DriftReport> => {
    const key = hash("sha256", JSON.stringify([asked.project.id, asked.of, asked.wish]));
    return (await remembered.fetch(key, { context: asked }))!;
  };
  return {
    async ofModel(project, id, wish) {
      const model = await models.callable(project, id, "id");
      return report({ project, of: { model: model.id }, wish });
    },
    async ofFunction(project, name, wish) {
      if (!(await stores.functions.get(project.id, name))) throw notFound("function", name, "name");
      return report({ project, of: { function: name }, wish });
    },
  };
}
