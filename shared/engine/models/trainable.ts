/** Which of a model's weights a fine-tuning moves; the others stay frozen. */
import type { Node } from "../graph.ts";
import { layerNumber } from "../layers/weightScope.ts";
import type { LanguageModel } from "./languageModel.ts";
import { isHeadWeight } from "./pretrained.ts";

/** The head alone: a linear probe. Throws RangeError where the head has no weights. */
export function headParameters(model: LanguageModel, parameters: readonly Node[]): readonly Node[] {
  const found = parameters.filter(({ name }) => isHeadWeight(model, name!));
  if (found.length === 0) throw new RangeError("the head has no weights to train");
  return found;
}

/**
 * The head, the last `count` layers, and what lies behind them (a final normalisation). Throws RangeError for a count
 * that is not between 0 and the model's layers.
 */
export function lastLayers(model: LanguageModel, parameters: readonly Node[], count: number): readonly Node[] {
  if (!Number.isInteger(count) || count < 0 || count > model.layers) {
    throw new RangeError(`a model of ${model.layers} layers has no last ${count}`);
  }
  // Before any layer come the embeddings, and behind the last one the rest.
  let depth = -1;
  return [...parameters].filter(({ name }) => {
    const layer = isHeadWeight(model, name!) ? undefined : layerNumber(name!);
    if (layer !== undefined) depth = layer;
    return isHeadWeight(model, name!) || depth >= model.layers - count;
  });
}
