/** Attribution for models over token ids, by integrated gradients in the space of their token vectors. */
import type { TypedArray } from "../dataTypes.ts";
import { input, type Node, topologicalOrder } from "../graph.ts";
import { adaptedGraph, frozenData, openEncoder } from "../models/adaptedBase.ts";
import { encoderForward, encodeTokens } from "../models/encoderClassifier.ts";
import { readPretrained } from "../models/pretrained.ts";
import { rewrite } from "../rewrite.ts";
import { createSession } from "../runtime/session.ts";
import { tokenize } from "../text/tokens.ts";
import { readTokenizer } from "../tokenizers/tokenizer.ts";
import type { Tensors } from "../training/fitGraph.ts";
import { taken } from "../training/fitter.ts";
import { padBatch, padding } from "../training/textBatches.ts";
import { readJsonObject } from "../weights/checkpointFiles.ts";
import { dataOf } from "../weights/tensors.ts";
import { type Attributor, type AttributorOptions, atOnce, type TokenAttribution } from "./attributor.ts";
import { integrate, type Slopes, slopeModel } from "./integratedGradients.ts";
import { alignTokens } from "./spans.ts";

interface ReadText {
  ids: Int32Array;
  /** What each id stands for, in letters; null for the special tokens that every text has. */
  tokens: readonly (string | null)[];
}

interface ExplainedModel {
  /** float32 [batch, classes] from the inputs of `padBatch`. */
  logits: Node;
  initializers: Readonly<Record<string, TypedArray>>;
  read: (text: string) => ReadText;
  /** The token that means nothing; undefined: the mean of all tokens stands for it. */
  nothing: number | undefined;
  threads: number;
}

export function createEncoderAttributor({ config, weights, threads }: AttributorOptions): Promise<Attributor> {
  const { logits } = encoderForward(config.labels.length);
  const read = (text: string) => {
    const ids = encodeTokens(text);
    return { ids, tokens: Array.from(tokenize(text), (token) => token.text).slice(0, ids.length) };
  };
  return createTextAttributor({
    logits,
    initializers: dataOf(Object.fromEntries(weights)),
    read,
    nothing: padding,
    threads,
  });
}

export async function createAdaptedAttributor({
  config,
  weights,
  threads,
  base,
}: AttributorOptions): Promise<Attributor> {
  if (base === null || !config.base) throw new TypeError("a model over an imported base needs the base's directory");
  const [pretrained, tokenizer, encoder] = await Promise.all([
    readPretrained(base),
    readTokenizer(base),
    openEncoder(base),
  ]);
  const graph = adaptedGraph(pretrained, config.labels.length, config.base.adapter);
  const before = Math.min(1, encoder.specialTokens);
  const behind = encoder.specialTokens - before;
  const { pad_token_id } = await readJsonObject(base, "config.json");
  return createTextAttributor({
    logits: graph.logits,
    initializers: { ...frozenData(pretrained, graph), ...dataOf(Object.fromEntries(weights)) },
    read(text) {
      const ids = encoder.encode(text);
      const isSpecial = (at: number) => at < before || at >= ids.length - behind;
      return { ids, tokens: Array.from(ids, (id, at) => (isSpecial(at) ? null : lettersOf(tokenizer.decode([id])))) };
    },
    nothing: typeof pad_token_id === "number" ? pad_token_id : undefined,
    threads,
  });
}

/** Without WordPiece's sign that a token goes on a word. */
function lettersOf(token: string): string {
  return token.startsWith("##") ? token.slice(2) : token;
}

async function createTextAttributor(model: ExplainedModel): Promise<Attributor> {
  const { table, width, ...overVectors } = withoutLookUp(model);
  const { threads, read } = model;
  const session = await createSession(slopeModel(overVectors), { threads });
  const vectorOf = (id: number) => table.subarray(id * width, (id + 1) * width);
  const nothing = model.nothing === undefined ? meanOf(table, width) : vectorOf(model.nothing);
  return {
    async attribute(text, labels, turn = atOnce) {
      const { ids, tokens } = read(text);
      const own = joined(Array.from(ids, vectorOf), width);
      const baseline = joined(
        Array.from(ids, (id, i) => (tokens[i] === null ? vectorOf(id) : nothing)),
        width,
      );
      const shown = [...tokens.keys()].filter((i) => tokens[i] !== null);
      const spans = alignTokens(
        text,
        shown.map((i) => tokens[i]!),
      );
      const attribute = async (label: number) => {
        const { attributions, value, baselineValue } = await integrate(
          slopesOf((feeds) => turn(() => session.run(taken(session, feeds))), ids, label),
          own,
          baseline,
        );
        const ofToken = (i: number) =>
          attributions.subarray(i * width, (i + 1) * width).reduce((sum, part) => sum + part, 0);
        const found = shown.map((i, place) => ({ ...spans[place]!, attribution: ofToken(i) }));
        return { logit: value, baselineLogit: baselineValue, parts: { tokens: withoutRepeats(found) } };
      };
      const answers = [];
      for (const label of labels) answers.push(await attribute(label));
      return answers;
    },
    release: () => session.release(),
  };
}

/** Tokens that cannot be told apart in the text, such as the bytes of one character, as one. */
function withoutRepeats(tokens: readonly TokenAttribution[]): TokenAttribution[] {
  const merged: TokenAttribution[] = [];
  for (const token of tokens) {
    const last = merged.at(-1);
    if (last?.start === token.start && last.end === token.end) last.attribution += token.attribution;
    else merged.push({ ...token });
  }
  return merged;
}

/** The graph with its table look-up replaced by an input of vectors, float32 [batch, sequence, width]. */
function withoutLookUp({ logits, initializers }: ExplainedModel) {
  const isLookUp = ({ op, inputs: [table, ids] }: Node) =>
    op === "Gather" && table!.op === "Parameter" && ids!.op === "Input" && ids!.name === "input_ids";
  const lookUp = topologicalOrder([logits]).find(isLookUp);
  if (!lookUp) throw new TypeError("the model does not look its token ids up in a table");
  const x = input("vectors", lookUp.type.shape);
  const rewritten = rewrite([logits], (node) => (node === lookUp ? x : undefined)).get(logits)!;
  const { [lookUp.inputs[0]!.name!]: table, ...others } = initializers;
  const width = lookUp.type.shape.at(-1) as number;
  return { logits: rewritten, x, initializers: others, table: table as Float32Array, width };
}

/** Of one run, padding there is none. */
const mostTokens = 1024;

function slopesOf(run: (feeds: Tensors) => Promise<Tensors>, ids: Int32Array, label: number): Slopes {
  const perRun = Math.max(1, Math.floor(mostTokens / ids.length));
  return async (points) => {
    const elements = points[0]!.length;
    const values = new Float32Array(points.length);
    const slopes = new Float32Array(points.length * elements);
    for (let start = 0; start < points.length; start += perRun) {
      const some = points.slice(start, start + perRun);
      const shape = [some.length, ids.length, elements / ids.length];
      const feeds = {
        ...padBatch(some.map(() => ids)),
        vectors: { shape, data: joined(some, elements) },
        label: { shape: [some.length], data: new Int32Array(some.length).fill(label) },
      };
      const results = await run(feeds);
      values.set(results.value!.data as Float32Array, start);
      slopes.set(results.slope!.data as Float32Array, start * elements);
    }
    return { values, slopes };
  };
}

function joined(vectors: readonly Float32Array[], width: number): Float32Array {
  const all = new Float32Array(vectors.length * width);
  for (const [i, vector] of vectors.entries()) all.set(vector, i * width);
  return all;
}

function meanOf(table: Float32Array, width: number): Float32Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < table.length; i++) sums[i % width]! += table[i]!;
  return Float32Array.from(sums, (sum) => (sum * width) / table.length);
}
