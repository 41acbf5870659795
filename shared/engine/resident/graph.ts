/**
 * A base whose every row reads through an adapter of its own: all adapters lie in banks, and a row names its slot. Models
 * of any number of owners share the weights, the session and the batch.
 */
import { input, type Node } from "../graph.ts";
import { type LoraConfig, type Placement, withLora } from "../layers/lora.ts";
import { WeightScope } from "../layers/weightScope.ts";
import { type LanguageModel, meanState, textInputs } from "../models/languageModel.ts";
import { gather } from "../ops/indexing.ts";
import { matmul } from "../ops/matmul.ts";

export interface ResidentGraph {
  /** float32 [batch, hidden]: the mean of a text's states. Also takes `slot`, int32 [batch], and the banks. */
  readonly vector: Node;
  /** The layers that have a bank: `PATH.a` [slots, inputs, rank] and `PATH.b` [slots, rank, outputs], float32. */
  readonly placements: readonly Placement[];
  /** Of the base. */
  readonly parameters: readonly Node[];
}

/** Throws LoraError for a target that is no layer of the model. */
export function residentGraph(model: LanguageModel, config: LoraConfig): ResidentGraph {
  const placements = placementsOf(model, config);
  const adapted = new Set(placements.map(({ path }) => path));
  const slot = input("slot", ["batch"], "int32");
  const bank = (name: string, shape: readonly number[]) => gather(input(name, ["slots", ...shape]), slot);
  const scope = new WeightScope().extended(({ path, x, inputs, outputs }) => {
    if (!adapted.has(path)) return undefined;
    const { rank } = config;
    return matmul(matmul(x, bank(`${path}.a`, [inputs, rank])), bank(`${path}.b`, [rank, outputs]));
  });
  const vector = meanState(model, scope);
  return { vector, placements, parameters: scope.parameters };
}

function placementsOf(model: LanguageModel, config: LoraConfig): readonly Placement[] {
  const lora = withLora(new WeightScope(), config, { body: model.prefix });
  model.states(lora.scope, textInputs());
  lora.requireTargets();
  return lora.placements;
}
