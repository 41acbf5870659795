/** Texts that belong together must be nearer than others of the batch (SimCSE, Gao et al. 2021; InfoNCE). */
import { input } from "../graph.ts";
import type { Dropout } from "../layers/dropout.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { type LanguageModel, textInputs } from "../models/languageModel.ts";
import { add, mul } from "../ops/elementwise.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import type { ObjectiveGraph } from "./tokenLoss.ts";

/**
 * Every row of the batch is to find its partner by cosine over `temperature`. Inputs beside a text's: `partners` int32
 * [batch], and `apart` float32 [batch, batch], added to the scores: a large negative number where two rows are not to be
 * compared, as a row with itself.
 */
export function contrastiveLoss(model: LanguageModel, temperature: number, noise?: Dropout): ObjectiveGraph {
  const [scope, inputs] = [new WeightScope(), textInputs()];
  const states = model.states(scope, inputs, noise);
  const vectors = model.heads.similarity({ scope, states, inputs, labels: 1 });
  const scores = mul(matmul(vectors, swapLast(vectors)), 1 / temperature);
  const compared = add(scores, input("apart", ["batch", "batch"]));
  const partners = input("partners", ["batch"], "int32");
  return {
    loss: crossEntropy(compared, partners),
    metrics: { accuracy: accuracy(compared, partners) },
    parameters: scope.parameters,
  };
}
