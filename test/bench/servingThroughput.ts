/** Texts per second of the model host beside transformers.js with the same weights, and whether they say the same. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TextInputs } from "../../shared/engine/models/languageModel.ts";
import type { Precision } from "../../shared/engine/quantization/precision.ts";
import type { ModelHost } from "../../shared/serving/host.ts";
import { pooledClassifier } from "./servingBase.ts";
import { configOf, mergedWeights } from "./servingModels.ts";
import { type Peer, startPeer } from "./servingPeer.ts";
import { peerClassifier, writePeerModel } from "./servingPeerModels.ts";
import { askAll, type Question, type Stage } from "./servingStage.ts";
import type { Bench } from "./suite.ts";
import { interleaved, median } from "./timing.ts";
import { alike } from "./trainingTexts.ts";

const rounds = 5;
const texts = 1024;
const batches = [1, 8, 32] as const;
/** Single texts under way at once in the host. */
const atOnce = 256;

const bars = {
  float32: { times: 1.7, alike: 99.5 },
  int8: { times: 4, alike: 99.5 },
} as const;
const precisions = Object.keys(bars) as (keyof typeof bars)[];

type Hosts = Readonly<Record<(typeof precisions)[number], ModelHost>>;

interface Contest {
  readonly hosts: Hosts;
  readonly peer: Peer | undefined;
  /** Of one model, which is also the peer's. */
  readonly questions: readonly Question[];
}

export async function throughput(stage: Stage, bench: Bench): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  await writeClassifier(join(root, "classifier"), stage);
  const peer = await startPeer(root, bench.tell);
  const [model] = await stage.models(1);
  const questions = stage.set.test.map(({ text }) => ({ text, model: model! }));
  const open = (precision: Precision) => [precision, stage.host({ precisionOf: () => precision })] as const;
  const hosts = Object.fromEntries(precisions.map(open)) as Hosts;
  await speeds({ hosts, peer, questions: questions.slice(0, texts) }, bench);
  await sameness({ hosts, peer, questions }, stage, bench);
  await Promise.all(Object.values(hosts).map((host) => host.close()));
  peer?.stop();
  rmSync(root, { recursive: true });
}

async function speeds({ hosts, peer, questions }: Contest, { emit, tell }: Bench): Promise<void> {
  tell(`serving: ${rounds} rounds of ${texts} texts`);
  const ask = (host: ModelHost) => async () => (await askAll(host, questions, atOnce)).milliseconds;
  const ours = Object.fromEntries(precisions.map((one) => [one, ask(hosts[one])]));
  const times = await interleaved(rounds, { ...ours, ...(peer && peerCases(peer, questions)) });
  const rate = (name: string) => (1000 * texts) / median(times[name]!);
  const unit = "per second";
  const alone = { baseline: null, baseline_source: "none" };
  for (const batch of peer ? batches : []) emit({ case: nameOf(batch), value: rate(nameOf(batch)), unit, ...alone });
  const best = peer && batches.toSorted((a, b) => rate(nameOf(b)) - rate(nameOf(a)))[0]!;
  for (const one of precisions) {
    const source = `${peer?.title} at its best, ${best} texts a call; asked for: ${bars[one].times} times`;
    const beside = best ? { baseline: rate(nameOf(best)), baseline_source: source } : alone;
    emit({ case: `throughput/${one}`, value: rate(one), unit, ...beside });
  }
}

async function sameness({ hosts, peer, questions }: Contest, { set }: Stage, { emit, tell }: Bench): Promise<void> {
  const right = set.test.map(({ label }) => label);
  const theirs = (await peer?.ask("classify", { ...about(questions), batch: 32 }))?.labels;
  for (const one of precisions) {
    const { labels } = await askAll(hosts[one], questions, atOnce);
    tell(`serving: ${one}, ${alike(labels, right).toFixed(2)} % of ${labels.length} texts right`);
    const bar = { baseline: bars[one].alike, baseline_source: "bar" };
    if (theirs) emit({ case: `same-labels/${one}`, value: alike(labels, theirs), unit: "percent", ...bar });
  }
}

const nameOf = (batch: number) => `transformers.js/batch-${batch}`;
const about = (questions: readonly Question[]) => ({ model: "classifier", texts: questions.map(({ text }) => text) });

function peerCases(peer: Peer, questions: readonly Question[]): Record<string, () => Promise<number>> {
  return Object.fromEntries(
    batches.map((batch) => [
      nameOf(batch),
      async () => (await peer.ask("classify", { ...about(questions), batch })).milliseconds,
    ]),
  );
}

/** The model of seed 0, adapter merged. */
async function writeClassifier(folder: string, { tuning, set }: Stage): Promise<void> {
  const { directory, files } = tuning.base;
  const { model } = tuning.pretrained;
  const graph = (inputs: TextInputs) => pooledClassifier(model, set.labels.length, inputs).logits;
  const classifier = peerClassifier(graph, mergedWeights(tuning, 0));
  const names = files.filter((name) => name.startsWith("tokenizer"));
  writePeerModel(folder, await configOf(tuning.base), classifier, { from: directory, names });
}
