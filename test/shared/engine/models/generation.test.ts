/** Greedy continuation, on a session that answers as told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WeightScope } from "../../../../shared/engine/index.ts";
import { continueGreedily, nextTokenLogits } from "../../../../shared/engine/models/generation.ts";
import { textInputs } from "../../../../shared/engine/models/languageModel.ts";
import type { Session } from "../../../../shared/engine/runtime/session.ts";
import { tensor } from "../run.ts";
import { tinyModel } from "./tinyModels.ts";

/** Gives the logits of a text's length. */
function scripted(logits: Record<number, readonly number[]>): Session {
  return {
    inputNames: [],
    outputNames: [],
    run: async ({ input_ids }) => ({ logits: tensor([1, 4], logits[input_ids!.data.length]!) }),
    release: async () => {},
  };
}

describe("greedy continuation", () => {
  const session = scripted({ 2: [0, 5, 1, 5], 3: [-1, -3, -2, -4], 4: [0, 0, 1, 0] });

  it("takes the likeliest token, of equals the lowest, and stops after the steps asked for", async () => {
    assert.deepEqual(await continueGreedily(session, [3, 3], { steps: 3 }), [1, 0, 2]);
    assert.deepEqual(await continueGreedily(session, [3, 3], { steps: 1 }), [1]);
  });

  it("ends at the end token, which it keeps to itself", async () => {
    assert.deepEqual(await continueGreedily(session, [3, 3], { steps: 3, endToken: 0 }), [1]);
  });

  it("is not for a model that sees the whole text", () => {
    const build = () => nextTokenLogits(tinyModel("bert"), new WeightScope(), textInputs());
    assert.throws(build, /module "bert" does not predict next tokens/);
  });
});
