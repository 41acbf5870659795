/** What an imported base makes of texts, as it is: a vector each, computed once however often a text is asked for. */

import { WeightScope } from "../layers/weightScope.ts";
import { toOnnx } from "../onnx.ts";
import { createSession } from "../runtime/session.ts";
import { logitsOf } from "../training/textBatches.ts";
import { openEncoder, type TextEncoder } from "./adaptedBase.ts";
import { meanState } from "./languageModel.ts";
import { type Pretrained, readPretrained, weightsFor } from "./pretrained.ts";

export interface TextVectors {
  readonly pretrained: Pretrained;
  readonly encoder: TextEncoder;
  /** float32 [texts, hidden], row-major: the means of the texts' states. */
  of(texts: readonly string[]): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Throws CheckpointError as `readPretrained` does. */
export async function openTextVectors(base: string, threads: number): Promise<TextVectors> {
  const [pretrained, encoder] = await Promise.all([readPretrained(base), openEncoder(base)]);
  const { model } = pretrained;
  const scope = new WeightScope();
  const vector = meanState(model, scope);
  const initializers = weightsFor(pretrained, scope.parameters, { seed: 0 });
  const session = await createSession(toOnnx({ outputs: { logits: vector }, initializers }), { threads });
  const known = new Map<string, Float32Array>();
  return {
    pretrained,
    encoder,
    async of(texts) {
      const fresh = [...new Set(texts.filter((text) => !known.has(text)))];
      const found = await logitsOf((batch) => session.run(batch), fresh.map(encoder.encode), model.hidden);
      for (const [i, text] of fresh.entries()) known.set(text, found.slice(i * model.hidden, (i + 1) * model.hidden));
      const vectors = new Float32Array(texts.length * model.hidden);
      for (const [i, text] of texts.entries()) vectors.set(known.get(text)!, i * model.hidden);
      return vectors;
    },
    release: () => session.release(),
  };
}
