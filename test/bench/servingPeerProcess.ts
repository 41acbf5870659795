/**
 * The process of `servingPeer.ts`: a line of JSON in, a line out. Arguments: the package.json of transformers.js, the root of the
 * models' folders, and the threads of its sessions.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

export interface PeerCalls {
  /** In batches of so many texts, in their order. */
  classify: { model: string; texts: readonly string[]; batch: number };
  /** Greedily, as many tokens as asked for. */
  generate: { model: string; prompt: readonly number[]; count: number };
}

export interface PeerAnswers {
  classify: { milliseconds: number; labels: string[] };
  /** Until the first new token was there, and from there to the last. */
  generate: { prefill: number; decode: number; tokens: number[] };
}

const [anchor, root, threads] = process.argv.slice(2) as [string, string, string];
const require = createRequire(anchor);
// Its types would be a dependency.
const { AutoModelForCausalLM, BaseStreamer, Tensor, env, pipeline } = await import(
  pathToFileURL(require.resolve("@huggingface/transformers")).href
);
env.allowRemoteModels = false;
env.localModelPath = root;
const session = { dtype: "fp32", session_options: { intraOpNumThreads: Number(threads), logSeverityLevel: 3 } };

/** Models by name, loaded once. */
type Classify = (texts: readonly string[]) => Promise<{ label: string }[]>;
type Generate = { generate(options: object): Promise<{ data: BigInt64Array }> };
const classifiers = new Map<string, Promise<Classify>>();
const generators = new Map<string, Promise<Generate>>();

function once<Made>(known: Map<string, Promise<Made>>, name: string, make: () => Promise<Made>): Promise<Made> {
  const made = known.get(name) ?? make();
  known.set(name, made);
  return made;
}

const answers: { [Name in keyof PeerCalls]: (call: PeerCalls[Name]) => Promise<PeerAnswers[Name]> } = {
  async classify({ model, texts, batch }) {
    const classify = await once(classifiers, model, () => pipeline("text-classification", model, session));
    const labels: string[] = [];
    const start = performance.now();
    for (let at = 0; at < texts.length; at += batch) {
      for (const { label } of await classify(texts.slice(at, at + batch))) labels.push(label);
    }
    return { milliseconds: performance.now() - start, labels };
  },

  async generate({ model: name, prompt, count }) {
    const model = await once(generators, name, () => AutoModelForCausalLM.from_pretrained(name, session));
    const inputs = new Tensor("int64", BigInt64Array.from(prompt, BigInt), [1, prompt.length]);
    const times: number[] = [];
    // It is told of the prompt, and then of each new token.
    const streamer = Object.assign(new BaseStreamer(), { put: () => times.push(performance.now()), end() {} });
    const start = performance.now();
    const output = await model.generate({
      ...{ inputs, streamer, do_sample: false, max_new_tokens: count, min_new_tokens: count },
    });
    const all = Array.from(output.data, Number);
    return { prefill: times[1]! - start, decode: times.at(-1)! - times[1]!, tokens: all.slice(prompt.length) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { name, call } = JSON.parse(line) as { name: keyof PeerCalls; call: never };
  process.stdout.write(`${JSON.stringify(await answers[name](call))}\n`);
}
