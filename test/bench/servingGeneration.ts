/** Tokens per second, of reading prompts and of writing, beside transformers.js: one text at a time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator } from "../../shared/engine/generation/generator.ts";
import { initialize } from "../../shared/engine/index.ts";
import { modelOf } from "../../shared/engine/models/families.ts";
import { type LanguageModel, textInputs } from "../../shared/engine/models/languageModel.ts";
import { buildModel, type Pretrained, readPretrained } from "../../shared/engine/models/pretrained.ts";
import { CheckpointConfig } from "../../shared/engine/weights/checkpointConfig.ts";
import { tensorsOf } from "../../shared/engine/weights/tensors.ts";
import { sharedFile } from "../support/sharedFiles.ts";
import { startPeer } from "./servingPeer.ts";
import { peerDecoder, writePeerModel } from "./servingPeerModels.ts";
import type { Bench } from "./suite.ts";
import { interleaved, median } from "./timing.ts";
import { threads } from "./trainingStepper.ts";

const rounds = 3;
const tokensPerCall = [1, 8] as const;

interface Case {
  readonly name: string;
  /** Tokens of the prompt, and those to be written. */
  readonly prompt: number;
  readonly count: number;
  /** Undefined where it is not there. */
  readonly open: () => Promise<Pretrained | undefined>;
}

/** 12 layers of 768 and 32,000 tokens: 110 million weights. */
const large = {
  model_type: "llama",
  hidden_size: 768,
  num_attention_heads: 12,
  intermediate_size: 2048,
  num_hidden_layers: 12,
  vocab_size: 32_000,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

const cases: readonly Case[] = [
  {
    ...{ name: "stories260K", prompt: 128, count: 128 },
    async open() {
      const { path, skip } = sharedFile("models/stories260K");
      return skip ? undefined : readPretrained(path);
    },
  },
  {
    ...{ name: "llama-110M", prompt: 128, count: 32 },
    async open() {
      const model = modelOf(new CheckpointConfig(large));
      const { parameters } = buildModel(model, { head: "causal" }, { inputs: textInputs() }).scope;
      const tensors = tensorsOf(parameters, initialize(parameters, 1, 0.05));
      return { model, weights: new Map(Object.entries(tensors)) as Pretrained["weights"] };
    },
  },
];

export async function generation(bench: Bench): Promise<void> {
  for (const one of cases) {
    const pretrained = await one.open();
    if (pretrained) await measure(one, pretrained, bench);
    else bench.tell(`serving: ${one.name} left out, it is not there`);
  }
}

interface Written {
  /** Milliseconds until the first new token, and from there to the last. */
  readonly prefill: number;
  readonly decode: number;
  readonly tokens: readonly number[];
}

async function measure({ name, prompt: length, count }: Case, pretrained: Pretrained, { emit, tell }: Bench) {
  const prompt = Array.from({ length }, (_, i) => (i === 0 ? 1 : 3 + ((i * 37) % 500)));
  const root = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  writePeerModel(join(root, name), peerConfig(pretrained.model), peerDecoder(pretrained));
  const peer = await startPeer(root, tell);
  tell(`serving: ${name}, ${rounds} rounds of ${length} tokens read and ${count} written, ${threads} threads`);
  const generators = await Promise.all(
    tokensPerCall.map((tokensPerCall) => Generator.start(pretrained, { tokensPerCall, threads })),
  );
  const writers: Record<string, () => Promise<Written>> = Object.fromEntries(
    tokensPerCall.map((k, i) => [`K=${k}`, () => write(generators[i]!, prompt, count)]),
  );
  if (peer) writers[peer.title] = () => peer.ask("generate", { model: name, prompt, count });
  const found = await inTurn(writers);
  peer?.stop();
  await Promise.all(generators.map((generator) => generator.close()));
  rmSync(root, { recursive: true });
  const rate = (who: string, part: "prefill" | "decode") =>
    (1000 * (part === "prefill" ? length : count - 1)) / median(found[who]!.map((written) => written[part]));
  for (const k of tokensPerCall) {
    for (const part of ["prefill", "decode"] as const) {
      const beside = peer
        ? {
            baseline: rate(peer.title, part),
            baseline_source: `${peer.title}${sameTokens(found, `K=${k}`, peer.title)}`,
          }
        : { baseline: null, baseline_source: "none" };
      emit({ case: `${name}/${part}/K=${k}`, value: rate(`K=${k}`, part), unit: "per second", ...beside });
    }
  }
}

/** What each wrote in each round but the first. */
async function inTurn(writers: Readonly<Record<string, () => Promise<Written>>>): Promise<Record<string, Written[]>> {
  const found: Record<string, Written[]> = Object.fromEntries(Object.keys(writers).map((name) => [name, []]));
  const each = Object.entries(writers).map(([name, writer]) => {
    const once = async () => {
      const written = await writer();
      found[name]!.push(written);
      return written.decode;
    };
    return [name, once] as const;
  });
  await interleaved(rounds, Object.fromEntries(each));
  return Object.fromEntries(Object.entries(found).map(([name, all]) => [name, all.slice(1)]));
}

function sameTokens(found: Readonly<Record<string, Written[]>>, ours: string, theirs: string): string {
  const [a, b] = [found[ours]![0]!.tokens, found[theirs]![0]!.tokens];
  const differs = a.findIndex((token, i) => token !== b[i]);
  return differs < 0 ? ", same tokens" : `, same tokens up to ${differs} of ${a.length}`;
}

async function write(generator: Generator, prompt: readonly number[], count: number): Promise<Written> {
  const start = performance.now();
  const tokens: number[] = [];
  let first = 0;
  for await (const { tokens: some } of generator.generate({ prompt, maxTokens: count, temperature: 0 })) {
    if (tokens.length === 0) first = performance.now();
    tokens.push(...some.map(({ id }) => id));
  }
  return { prefill: first - start, decode: performance.now() - first, tokens };
}

function peerConfig({ hidden, layers, vocabulary, maxPositions, memory }: LanguageModel): object {
  return {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_size: hidden,
    num_attention_heads: memory!.heads,
    num_key_value_heads: memory!.keyValueHeads,
    head_dim: memory!.headWidth,
    num_hidden_layers: layers,
    vocab_size: vocabulary,
    max_position_embeddings: maxPositions,
  };
}
