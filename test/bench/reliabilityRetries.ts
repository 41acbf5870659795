/** Jobs asked for over a line that breaks again and again: each of them is there once, and none of them twice. */
import type { Deployment } from "../support/deployment.ts";
import { startSevering } from "../support/severing.ts";

export interface SeveredJobs {
  asked: number;
  /** Connections that were cut. */
  cuts: number;
  /** Requests that the client sent beyond the first of each. */
  retries: number;
  /** Jobs beyond the first that one asking made. */
  twice: number;
  /** Askings that were answered and have no job, or not the one that was answered. */
  lost: number;
}

const atOnce = 16;

/** Half of them by an `Idempotency-Key`, half as an unmodified SDK tries again by itself. */
export async function severedJobs(deployment: Deployment, { count, seed = 7 }: { count: number; seed?: number }) {
  const line = await startSevering(deployment.origin, { seed });
  const { client, a, stores } = deployment;
  const file = new File(["{}\n"], "a.jsonl");
  const { id: training_file } = await client().files.create({ file, purpose: "fine-tune" });
  let sent = 0;
  const sdk = client({ baseURL: `${line.url}/v1`, maxRetries: 50, fetch: impatient(() => sent++) });
  const answered = new Map<string, string>();
  const ask = async (name: string, index: number) => {
    const body = { model: "millrace-ngram", training_file, metadata: { name } };
    const headers = index % 2 ? { "Idempotency-Key": name } : {};
    answered.set(name, (await sdk.fineTuning.jobs.create(body, { headers })).id);
  };
  const names = Array.from({ length: count }, (_, index) => `${seed}-${index}`);
  let next = 0;
  const askAll = async () => {
    for (let index = next++; index < count; index = next++) await ask(names[index]!, index);
  };
  await Promise.all(Array.from({ length: atOnce }, askAll));
  await line.close();
  const made = await stores.jobs.list(a.project.id, { limit: count * 10 });
  const idsOf = (name: string) => made.filter(({ metadata }) => metadata?.name === name).map(({ id }) => id);
  const found = names.map((name) => ({ answered: answered.get(name)!, ids: idsOf(name) }));
  return {
    asked: count,
    cuts: Object.values(line.cuts).reduce((sum, cut) => sum + cut, 0),
    retries: sent - count,
    twice: found.reduce((sum, { ids }) => sum + Math.max(0, ids.length - 1), 0),
    lost: found.filter(({ answered, ids }) => !ids.includes(answered)).length,
  } satisfies SeveredJobs;
}

/** The SDK waits half a second and more before it tries again; sooner, a retry meets the request it repeats at its work. */
function impatient(count: () => void): typeof fetch {
  return async (input, init) => {
    count();
    try {
      const answer = await fetch(input, init);
      return new Response(await answer.arrayBuffer(), answer);
    } catch {
      return new Response(null, { status: 503, headers: { "retry-after-ms": String(1 + Math.random() * 40) } });
    }
  };
}
