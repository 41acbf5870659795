/** Continuing a text token by token. Each step reads the whole prefix again: exact and simple, for short texts. */
import type { Node } from "../graph.ts";
import type { WeightScope } from "../layers/weightScope.ts";
import { squeeze, unsqueeze } from "../ops/layout.ts";
import type { Session } from "../runtime/session.ts";
import { lastToken } from "./heads.ts";
import type { LanguageModel, TextInputs } from "./languageModel.ts";

/**
 * Logits of the token after each text, float32 [batch, vocabulary]; the output layer sees the last tokens only. Throws
 * TypeError for a model that is not causal.
 */
export function nextTokenLogits(model: LanguageModel, scope: WeightScope, inputs: TextInputs): Node {
  const { causal } = model.heads;
  if (!causal) throw new TypeError(`a model of module "${model.prefix}" does not predict next tokens`);
  const call = { scope, inputs, labels: 1, states: model.states(scope, inputs) };
  return squeeze(causal({ ...call, states: unsqueeze(lastToken(call), [1]) }), [1]);
}

export interface GreedyOptions {
  /** How many tokens to add at most. */
  readonly steps: number;
  /** Ends the text; it is not returned. */
  readonly endToken?: number | undefined;
}

/**
 * The tokens after `ids`, each the likeliest given all before it (of equals the lowest). The session returns `logits`
 * as `nextTokenLogits` gives them. A text longer than the model's positions fails the run.
 */
export async function continueGreedily(
  session: Session,
  ids: readonly number[],
  { steps, endToken }: GreedyOptions,
): Promise<number[]> {
  const text = [...ids];
  while (text.length < ids.length + steps) {
    const shape = [1, text.length];
    const { logits } = await session.run({
      input_ids: { shape, data: Int32Array.from(text) },
      attention_mask: { shape, data: new Int32Array(text.length).fill(1) },
    });
    const next = indexOfMaximum(logits!.data as Float32Array);
    if (next === endToken) break;
    text.push(next);
  }
  return text.slice(ids.length);
}

function indexOfMaximum(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
