/** What a base makes of texts in one precision, how long it takes and how large it is: what precisions are compared by. */
import type { TypedArray } from "../dataTypes.ts";
import { int64s, type Node } from "../graph.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { type LanguageModel, textInputs } from "../models/languageModel.ts";
import type { Pretrained } from "../models/pretrained.ts";
import { toOnnx } from "../onnx.ts";
import { reshape } from "../ops/layout.ts";
import { topK } from "../ops/selection.ts";
import { createSession, type Session } from "../runtime/session.ts";
import { lengthBatches } from "../training/batches.ts";
import { padBatch } from "../training/textBatches.ts";
import type { Precision } from "./precision.ts";
import { servingModel } from "./serving.ts";

export interface VariantReading {
  /** float32 [texts, hidden]: each text's vector, of length 1. */
  readonly vectors: Float32Array;
  /** The likeliest token behind each token, by text; null for a base that does not write. */
  readonly nextTokens: readonly Int32Array[] | null;
  /** Of the weights as they are served. */
  readonly bytes: number;
  /** To read all texts, the faster of two times. */
  readonly milliseconds: number;
}

/** Of one call. The logits of a writing base are as wide as its vocabulary at every token. */
const tokenBudget = 1024;

/** Throws SessionError where the precision does not run. */
export async function readInPrecision(
  { model, weights }: Pretrained,
  texts: readonly Int32Array[],
  precision: Precision,
  threads: number,
): Promise<VariantReading> {
  const { outputs, scope } = outputsOf(model, (name) => weights.has(name));
  const initializers = Object.fromEntries(scope.parameters.map(({ name }) => [name!, weights.get(name!)!.data]));
  const served = servingModel({ outputs, initializers }, precision);
  const bytes = Object.values(served.initializers).reduce((sum, data: TypedArray) => sum + data.byteLength, 0);
  const session = await createSession(toOnnx(served), { threads });
  try {
    // The first time is another's: memory is fresh.
    const answers = await read(session, model, texts);
    const times = [await timed(session, model, texts), await timed(session, model, texts)];
    return { ...answers, bytes, milliseconds: Math.min(...times) };
  } finally {
    await session.release();
  }
}

interface ReadingGraph {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly scope: WeightScope;
}

/** A checkpoint of the body alone has no weights to write with. */
function outputsOf(model: LanguageModel, has: (name: string) => boolean): ReadingGraph {
  const inputs = textInputs();
  const scope = new WeightScope();
  const states = model.states(scope, inputs);
  const vector = model.heads.similarity({ scope, states, inputs, labels: 1 });
  const writing = new WeightScope();
  const logits = model.heads.causal?.({ scope: writing, states, inputs, labels: 1 });
  const writes = logits && writing.parameters.every(({ name }) => has(name!));
  if (!writes) return { outputs: { vector }, scope };
  return { outputs: { vector, next: likeliest(model.heads.causal!({ scope, states, inputs, labels: 1 })) }, scope };
}

/** Places int64 [batch, sequence] of the greatest of each row. */
function likeliest(logits: Node): Node {
  const [batch, sequence] = logits.type.shape;
  return reshape(topK(logits, int64s([1]), 1).places, [batch!, sequence!]);
}

async function timed(session: Session, model: LanguageModel, texts: readonly Int32Array[]): Promise<number> {
  const start = performance.now();
  await read(session, model, texts);
  return performance.now() - start;
}

async function read(session: Session, { hidden }: LanguageModel, texts: readonly Int32Array[]) {
  const vectors = new Float32Array(texts.length * hidden);
  const nextTokens: Int32Array[] = [];
  const lengths = texts.map(({ length }) => length);
  const batches = lengthBatches({ lengths, tokenBudget: Math.max(tokenBudget, ...lengths), seed: 0 });
  for (let batch = 0; batch < batches.perEpoch; batch++) {
    const rows = batches.rowsOf(batch);
    const { vector, next } = await session.run(padBatch(Array.from(rows, (row) => texts[row]!)));
    for (const [i, row] of rows.entries()) {
      vectors.set((vector!.data as Float32Array).subarray(i * hidden, (i + 1) * hidden), row * hidden);
      if (!next) continue;
      const tokens = (next.data as BigInt64Array).subarray(i * next.shape[1]!, i * next.shape[1]! + lengths[row]!);
      nextTokens[row] = Int32Array.from(tokens, Number);
    }
  }
  return { vectors, nextTokens: nextTokens.length > 0 ? nextTokens : null };
}
