/**
 * Tokens per second with and without kept keys and values: `node test/shared/engine/generation/measure.ts`, on
 * stories260K, or `... measure.ts large`, on a model of 110 million random weights. Medians of rounds in turn; one thread.
 */
import { nextTokenLogits } from "../../../../shared/engine/generation/decoder.ts";
import { type GenerationRequest, Generator } from "../../../../shared/engine/generation/generator.ts";
import { initialize, toOnnx, WeightScope } from "../../../../shared/engine/index.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import { llama } from "../../../../shared/engine/models/llama.ts";
import {
  buildModel,
  type Pretrained,
  readPretrained,
  weightsFor,
} from "../../../../shared/engine/models/pretrained.ts";
import { createSession, type Session } from "../../../../shared/engine/runtime/session.ts";
import { sharedFile } from "../../../support/sharedFiles.ts";
import { tensor } from "../run.ts";

const threads = 1;
const large = process.argv[2] === "large";
const rounds = large ? 3 : 7;
const length = large ? 24 : 150;
const prompt = Array.from({ length: large ? 128 : 5 }, (_, i) => (i === 0 ? 1 : (i * 37) % 500));

/** 12 layers of 768, as GPT-2's smallest, with 32,000 tokens. */
function randomModel(): Pretrained {
  const model = llama({
    hidden: 768,
    heads: 12,
    keyValueHeads: 12,
    headWidth: 64,
    intermediate: 2048,
    layers: 12,
    vocabulary: 32_000,
    maxPositions: 1024,
    activation: "silu",
    normEpsilon: 1e-5,
    ropeTheta: 10_000,
    pairing: "half",
    tied: true,
    attentionBias: "none",
    feedForwardBias: false,
  });
  const { scope } = buildModel(model, { head: "causal" }, { inputs: textInputs() });
  const data = initialize(scope.parameters, 1, 0.05);
  return {
    model,
    weights: new Map(scope.parameters.map(({ name, type }) => [name!, tensor(type.shape as number[], data[name!]!)])),
  };
}

async function uncachedSession(pretrained: Pretrained): Promise<Session> {
  const scope = new WeightScope();
  const logits = nextTokenLogits(pretrained.model, scope, textInputs());
  return createSession(toOnnx({ outputs: { logits }, initializers: weightsFor(pretrained, scope.parameters) }), {
    threads,
  });
}

async function continueUncached(session: Session, count: number): Promise<void> {
  const text = [...prompt];
  for (let i = 0; i < count; i++) {
    const shape = [1, text.length];
    const attention_mask = tensor(shape, new Int32Array(text.length).fill(1));
    const { logits } = await session.run({ input_ids: tensor(shape, Int32Array.from(text)), attention_mask });
    const values = logits!.data as Float32Array;
    text.push(values.indexOf(values.reduce((most, value) => Math.max(most, value))));
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

/** Tokens per second after the prompts were read, and tokens of prompts per second before that. */
async function rates(generator: Generator, request: GenerationRequest, rows: number) {
  const began = performance.now();
  let ready = 0;
  const read = async (seed: number) => {
    const stream = generator.generate({ ...request, seed });
    await stream.next();
    ready = performance.now();
    for await (const { tokens } of stream) if (tokens.length === 0) throw new Error("a call wrote nothing");
  };
  await Promise.all(Array.from({ length: rows }, (_, seed) => read(seed)));
  return {
    decode: (1000 * rows * (length - 1)) / (performance.now() - ready),
    prompt: (1000 * rows * prompt.length) / (ready - began),
  };
}

async function main(): Promise<void> {
  const pretrained = large ? randomModel() : await readPretrained(sharedFile("models/stories260K").path);
  const uncached = await uncachedSession(pretrained);
  const generators = await Promise.all(
    [1, 8].map((tokensPerCall) => Generator.start(pretrained, { tokensPerCall, threads })),
  );
  const greedy = { prompt, maxTokens: length, temperature: 0 };
  const requests = { greedy, "at temperature 1": { ...greedy, temperature: 1 }, "top-p 0.9": { ...greedy, topP: 0.9 } };
  const found: Record<string, number[]> = {};
  const note = (name: string, rate: number) => (found[name] = [...(found[name] ?? []), rate]);
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await continueUncached(uncached, large ? 6 : length);
    note("uncached", (1000 * (large ? 6 : length)) / (performance.now() - began));
    for (const [i, generator] of generators.entries()) {
      for (const rows of [1, 8]) {
        for (const [name, request] of Object.entries(requests)) {
          if (i === 0 && name !== "greedy") continue;
          const { decode, prompt: reading } = await rates(generator, request, rows);
          note(`K = ${[1, 8][i]}, ${rows} rows, ${name}`, decode);
          if (name === "greedy") note("prompts", reading);
        }
      }
    }
  }
  for (const [name, all] of Object.entries(found)) console.log(`${name}: ${median(all).toFixed(1)} tokens/s`);
}

await main();
