/** Twenty AdamW steps of tiny models against PyTorch: its numbers are in test/support/golden, beside the script that made them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  causalCrossEntropy,
  crossEntropy,
  hashName,
  input,
  maskedCrossEntropy,
  type Node,
  type Tensor,
  toOnnx,
} from "../../../../shared/engine/index.ts";
import { dataOf } from "../../../../shared/engine/weights/tensors.ts";
import golden from "../../../support/golden/languageModels.json" with { type: "json" };
import { numbers, tensor, withSession } from "../run.ts";
import { tinyBuilt, tinyFeeds } from "./tinyModels.ts";
import { train } from "./tinyTraining.ts";

const seen = tinyFeeds.attention_mask!.data as Int32Array;
const perToken = (tinyFeeds.input_ids!.data as Int32Array).map((id, i) => (seen[i] === 1 ? id : -100));
const tokenLabels = input("labels", ["batch", "sequence"], "int32");

const texts = {
  request: { head: "sequence", labels: 3 },
  loss: (logits: Node) => crossEntropy(logits, input("labels", ["batch"], "int32")),
  labels: tensor([2], Int32Array.of(2, 0)),
} as const;
const tokens = {
  request: { head: "causal" },
  loss: (logits: Node) => causalCrossEntropy(logits, tokenLabels),
  labels: tensor([2, 5], perToken),
} as const;
const hidden = {
  request: { head: "masked" },
  loss: (logits: Node) => maskedCrossEntropy(logits, tokenLabels),
  labels: tensor([2, 5], Int32Array.of(-100, 7, -100, 21, -100, 33, -100, 12, -100, -100)),
} as const;
const models = {
  bert: { family: "bert", ...texts },
  roberta: { family: "roberta", ...texts },
  distilbert: { family: "distilbert", ...texts },
  bert_masked: { family: "bert", ...hidden },
  roberta_masked: { family: "roberta", ...hidden },
  distilbert_masked: { family: "distilbert", ...hidden },
  gpt2: { family: "gpt2", ...tokens },
  llama: { family: "llama", ...tokens },
  llama3: { family: "llama3", ...tokens },
  qwen2: { family: "qwen2", ...tokens },
} as const;

/** `first_value` of the script. */
function firstValue({ name, type }: Node): Tensor {
  const start = hashName(name!) % 1000;
  const isNorm = /(norm|Norm|ln_1|ln_2|ln_f)\.weight$/.test(name!);
  const shape = type.shape as number[];
  const length = shape.reduce((size, dim) => size * dim, 1);
  const value = (i: number) => {
    const turn = 43758.5453 * Math.sin(start + 12.9898 * i);
    const around = 2 * (turn - Math.floor(turn)) - 1;
    return isNorm ? 1 + 0.1 * around : 0.3 * around;
  };
  return tensor(
    shape,
    Float32Array.from({ length }, (_, i) => value(i)),
  );
}

describe("twenty steps of AdamW give PyTorch's losses and logits", () => {
  for (const name of Object.keys(models) as (keyof typeof models)[]) {
    it(name, async () => {
      const { family, request, loss, labels } = models[name];
      const { output, scope } = tinyBuilt(family, request);
      const weights = Object.fromEntries(scope.parameters.map((node) => [node.name!, firstValue(node)]));
      const trained = await train({
        loss: loss(output),
        parameters: scope.parameters,
        weights,
        feeds: { ...tinyFeeds, labels },
        steps: 21,
        learningRate: 5e-3,
        weightDecay: 0.01,
      });
      assertClose(trained.losses, golden[name].losses);
      assert.ok(trained.losses[20]! < trained.losses[0]! * 0.7, "there is something to learn");
      assertClose(await logitsAfterTwenty(), golden[name].logits);

      async function logitsAfterTwenty(): Promise<number[]> {
        const model = toOnnx({ outputs: { output }, initializers: dataOf(trained.before) });
        const { output: logits } = await withSession(model, (session) => session.run(tinyFeeds));
        if (request.head === "sequence") return numbers(logits);
        return numbers(logits).filter((_, i) => seen[Math.floor(i / 40)] === 1);
      }
    });
  }
});

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  const worst = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
  assert.ok(worst < 1e-4, `a number is off by ${worst}`);
}
