/**
 * What a model says of tokens it is asked for, hidden ones or next ones, against some of the vocabulary: a loss whose cost
 * does not grow with the vocabulary (Jean et al. 2015).
 */
import { input, type Node } from "../graph.ts";
import type { Dropout } from "../layers/dropout.ts";
import { accuracy, crossEntropy } from "../layers/losses.ts";
import { type LinearCall, WeightScope } from "../layers/weightScope.ts";
import { type LanguageModel, textInputs } from "../models/languageModel.ts";
import { sub } from "../ops/elementwise.ts";
import { gather } from "../ops/indexing.ts";
import { reshape } from "../ops/layout.ts";
import { product } from "../shape.ts";

/** Which head speaks: of tokens that were hidden, or of those that come next. */
export type TokenObjective = "masked" | "causal";

export interface ObjectiveGraph {
  /** A scalar, the mean over what was asked, in nats. */
  readonly loss: Node;
  readonly metrics: Readonly<Record<string, Node>>;
  /** Every weight it reads. */
  readonly parameters: readonly Node[];
}

/**
 * Inputs beside a text's: `places` int32 [asked], where in the batch laid out in a row a token is asked for;
 * `candidates` int32 [candidates], ids without repetition; `labels` int32 [asked], the token's place among them; and
 * `corrections` float32 [candidates], the logarithm of the chance that each had to be there. With all of the vocabulary
 * and corrections of 0 it is the cross-entropy itself. Throws TypeError where the model has no such head.
 */
export function tokenLoss(model: LanguageModel, objective: TokenObjective, noise?: Dropout): ObjectiveGraph {
  const head = model.heads[objective];
  if (!head) throw new TypeError(`a model of module "${model.prefix}" has no ${objective} head to be pre-trained by`);
  const [scope, inputs] = [new WeightScope(), textInputs()];
  const states = model.states(scope, inputs, noise);
  const [batch, sequence] = inputs.input_ids.type.shape;
  const flat = reshape(states, [product([batch!, sequence!]), model.hidden]);
  const asked = gather(flat, input("places", ["asked"], "int32"));
  const candidates = input("candidates", ["candidates"], "int32");
  const few = new CandidateScope(scope, candidates, model.vocabulary);
  const logits = sub(head({ scope: few, states: asked, inputs, labels: 1 }), input("corrections", ["candidates"]));
  const labels = input("labels", ["asked"], "int32");
  return {
    loss: crossEntropy(logits, labels),
    metrics: { accuracy: accuracy(logits, labels) },
    parameters: scope.parameters,
  };
}

/** The same weights, of which those with a row for each token have the candidates' rows alone. */
class CandidateScope extends WeightScope {
  readonly #whole: WeightScope;
  readonly #candidates: Node;
  readonly #vocabulary: number;

  constructor(whole: WeightScope, candidates: Node, vocabulary: number) {
    super(undefined, whole.path);
    this.#whole = whole;
    this.#candidates = candidates;
    this.#vocabulary = vocabulary;
  }

  override scope(name: string): WeightScope {
    return new CandidateScope(this.#whole.scope(name), this.#candidates, this.#vocabulary);
  }

  override extend(call: Omit<LinearCall, "path">): Node | undefined {
    return this.#whole.extend(call);
  }

  override get(name: string, shape: readonly number[]): Node {
    const weight = this.#whole.get(name, shape);
    return shape[0] === this.#vocabulary ? gather(weight, this.#candidates) : weight;
  }
}
