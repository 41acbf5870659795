/**
 * A causal model as one graph that reads tokens and writes up to `steps` more in a call: the same for a prompt (many
 * tokens at once, then usually one step) and for what follows (one token, then several steps).
 */
import type { Tensor, TypedArray } from "../dataTypes.ts";
import { constant, input, type Node } from "../graph.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { lastToken } from "../models/heads.ts";
import type { LanguageModel, TextInputs } from "../models/languageModel.ts";
import { add, max, min, sub } from "../ops/elementwise.ts";
import { squeeze, unsqueeze } from "../ops/layout.ts";
import { cast, equal, greater, less, where } from "../ops/logic.ts";
import { reduceMax } from "../ops/reductions.ts";
import type { Precision } from "../quantization/precision.ts";
import { servingLoop } from "../quantization/servingLoop.ts";
import { counted } from "./dynamic.ts";
import { type Carried, type GenerationLoop, loopModel } from "./loopModel.ts";
import { type StepTokens, textMemory } from "./memory.ts";
import { chooseToken, logProbabilities, samplingInputs, seenAfter, seenBefore } from "./sample.ts";

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

export interface Decoder {
  readonly loop: GenerationLoop;
  /** Weights asked for, by which the scope's owner supplies data. */
  readonly scope: WeightScope;
}

/**
 * The loop, over a scope that adapters may extend; what they read beside weights becomes inputs. Throws TypeError for a
 * model that is not causal.
 */
export function decoder(model: LanguageModel, scope = new WeightScope()): Decoder {
  const carriedToken = (name: string, size: number | string) => ({
    before: input(`step:${name}`, ["rows", size], "int32"),
    first: input(name, ["rows", size], "int32"),
  });
  const [ids, count, start] = [carriedToken("input_ids", "fresh"), carriedToken("count", 1), carriedToken("start", 1)];
  const tokens: StepTokens = { ids: ids.before, count: count.before, start: start.before };
  const { memory, carried } = textMemory({ tokens, cached: start.first, maxPositions: model.maxPositions });
  const attention_mask = cast(less(counted(tokens.ids, 1), tokens.count), "int32");
  const logits = nextTokenLogits(model, scope, { input_ids: tokens.ids, attention_mask, memory });
  const settings = samplingInputs(model.vocabulary);
  const seen = {
    before: input("step:seen", ["rows", model.vocabulary]),
    first: seenBefore(settings, model.vocabulary),
  };
  const place = add(tokens.start, tokens.count);
  const token = chooseToken(logits, seen.before, place, settings);
  const logs = logProbabilities(logits, token, settings);
  const room = rowsRoom(token);
  return {
    scope,
    loop: {
      steps: input("steps", [], "int64"),
      carried: {
        ...carried,
        input_ids: { ...ids, after: token },
        count: { ...count, after: max(min(count.before, 1), 1) },
        start: { ...start, after: place },
        seen: { ...seen, after: seenAfter(seen.before, token) },
        room,
      },
      goOn: greater(reduceMax(room.after), 0),
      collected: { token, log_probability: logs.chosen, top_token: logs.tokens, top_log_probability: logs.values },
    },
  };
}

/** How many tokens each row may still get; none after one of its end tokens. Where no row has any, the loop ends. */
function rowsRoom(token: Node): Carried {
  const before = input("step:room", ["rows", 1], "int32");
  const ends = input("ends", ["rows", "ends"], "int32");
  const isEnd = reduceMax(cast(equal(token, ends), "int32"), { axes: [-1], keepDims: true });
  const left = max(sub(before, 1), constant(0, "int32"));
  return {
    before,
    first: input("room", ["rows", 1], "int32"),
    after: where(greater(isEnd, 0), constant(0, "int32"), left),
  };
}

/** The decoder as an ONNX model, its frozen matrices in a precision. */
export function decoderModel(
  { loop }: Decoder,
  initializers: Readonly<Record<string, TypedArray>>,
  precision: Precision = "float32",
): Uint8Array {
  return loopModel(servingLoop({ loop, initializers }, precision));
}

export type Feeds = Record<string, Tensor>;
