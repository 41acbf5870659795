/** What a queue's model makes of the rows: its probabilities, or its vectors. */
import { ApiError } from "../../../shared/errors.ts";
import { asEmbedder } from "../../../shared/inference/embedder.ts";
import type { CallableModel } from "../../../shared/inference/modelLookUp.ts";
import { isFineTuned, withoutLabels } from "../../../shared/inference/modelLookUp.ts";
import { asTextReader } from "../../../shared/inference/rows.ts";
import type { Candidate } from "../../../shared/labels/rank.ts";
import { recordsOf } from "../../../shared/pricing/asked.ts";
import type { LabelQueueRecord, LabelStrategy } from "../../../shared/schemas/labelQueue.ts";
import type { ModelHost } from "../../../shared/serving/host.ts";
import { throwIfStopped } from "../../lease.ts";
import { PermanentFailure } from "../../task.ts";
import type { Building } from "../built.ts";
import { askPatiently } from "../patience.ts";
import type { Found } from "./candidates.ts";

const textsAtOnce = 64;

interface Opinions {
  of: Partial<Candidate>[];
  tokens: number;
}
type Ask = (host: ModelHost, model: CallableModel, texts: string[]) => Promise<Opinions>;

const sumOf = (read: readonly { tokens: number }[]) => read.reduce((sum, { tokens }) => sum + tokens, 0);

const probabilities =
  (field: "answer" | "other"): Ask =>
  async (host, model, texts) => {
    if (!isFineTuned(model)) throw withoutLabels(model);
    const read = await host.classify(asTextReader(model), texts);
    const of = read.map(({ labels, probabilities }) => ({
      [field]: labels.map((label, k) => ({ label, probability: probabilities[k]! })),
    }));
    return { of, tokens: sumOf(read) };
  };

const asks: Partial<Record<LabelStrategy, Ask>> = {
  uncertainty: probabilities("answer"),
  disagreement: probabilities("other"),
  async diversity(host, model, texts) {
    const read = await host.embed(asEmbedder(model), texts);
    return { of: read.map(({ vector }) => ({ vector })), tokens: sumOf(read) };
  },
};

/** Adds them to the candidates; nothing where the queue names no model. */
export async function withOpinions(building: Building<LabelQueueRecord>, found: readonly Found[]): Promise<void> {
  const { context, row, lease } = building;
  const ask = asks[row.strategy];
  if (row.model === null || !ask) return;
  const { models, host } = context.inference;
  try {
    const model = await models.callable({ id: row.project_id }, row.model);
    for (let start = 0; start < found.length; start += textsAtOnce) {
      throwIfStopped(building);
      const part = found.slice(start, start + textsAtOnce).map(({ candidate }) => candidate);
      const texts = part.map(({ text }) => text);
      const opinions = await askPatiently(() => ask(host, model, texts), lease.signal);
      for (const [i, candidate] of part.entries()) Object.assign(candidate, opinions.of[i]);
      await count(building, model.id, { start, tokens: opinions.tokens });
    }
  } catch (error) {
    if (error instanceof ApiError && !error.shouldRetry) throw new PermanentFailure(error.code, error.message, "model");
    throw error;
  }
}

/** Under the queue's own time and the place of its first text: whoever asks again after a worker died counts it once. */
async function count({ context, row }: Building<LabelQueueRecord>, model: string, { start, tokens }: Counted) {
  const endpoint = row.strategy === "diversity" ? "/v1/embeddings" : "/v1/decisions";
  const asked = { endpoint, model, usage: { input_tokens: tokens, output_tokens: 0 } } as const;
  const records = recordsOf(context.config.prices, `${row.id}#${start}`, [asked], row.created_at);
  await context.stores.usage.put(row.project_id, records);
}

interface Counted {
  start: number;
  tokens: number;
}
