/** Low-rank adapters (Hu et al. 2021): a frozen linear layer learns through a product of two narrow matrices beside it. */
import type { Node } from "../graph.ts";
import { mul } from "../ops/elementwise.ts";
import { matmul, swapLast } from "../ops/matmul.ts";
import { hashName, normals } from "../random.ts";
import { dropout } from "./dropout.ts";
import { type KnownShapes, type LinearCall, WeightScope } from "./weightScope.ts";

export interface LoraConfig {
  /** Width of the narrow matrices, r in the paper. */
  readonly rank: number;
  /** The adapter's output is scaled by alpha / rank. */
  readonly alpha: number;
  /** The share of a layer's inputs its adapter does not see, in training, in [0, 1). */
  readonly dropout: number;
  /**
   * The layers that are adapted: paths, or ends of paths, such as `q_proj` or `attention.self.query`; or every linear
   * layer of the body.
   */
  readonly targets: readonly string[] | "all-linear";
  /** Scale by alpha / sqrt(rank) instead (Kalajdzievski 2023). Default false. */
  readonly rankStabilized?: boolean;
}

/** A configuration cannot be used with a model; the message names the field or the target. */
export class LoraError extends Error {
  override name = "LoraError";
}

/** A layer that was adapted, and how its own weight is stored. */
export type Placement = Omit<LinearCall, "x">;

export interface Lora {
  /** The base's weights; whatever is built over this scope is adapted. */
  readonly scope: WeightScope;
  /** The adapter's weights, named as PEFT names them: `base_model.model.PATH.lora_A.weight` [rank, inputs], lora_B. */
  readonly adapter: WeightScope;
  readonly config: LoraConfig;
  /** Grows as layers are built. */
  readonly placements: readonly Placement[];
  /** Throws LoraError, once a model is built, for a target that is none of its layers. */
  requireTargets(): void;
}

export interface LoraOptions {
  /** Module to which "all-linear" is confined; a head learns whole. */
  readonly body: string;
  /** A uint32 scalar, fed anew at each step; without it nothing is dropped. */
  readonly seed?: Node | undefined;
  /** The shapes of a stored adapter. */
  readonly known?: KnownShapes;
}

export const adapterRoot = "base_model.model";

/** Throws LoraError for a rank, alpha or dropout out of range. */
export function withLora(base: WeightScope, config: LoraConfig, { body, seed, known }: LoraOptions): Lora {
  requireRanges(config);
  const adapter = new WeightScope(known, adapterRoot);
  const placements: Placement[] = [];
  const scope = base.extended(({ x, ...placement }) => {
    if (!targetOf(config, placement.path, body)) return undefined;
    const { path, inputs, outputs } = placement;
    if (!placements.some((placed) => placed.path === path)) placements.push(placement);
    const weights = adapter.scope(path);
    const a = weights.get("lora_A.weight", [config.rank, inputs]);
    const b = weights.get("lora_B.weight", [outputs, config.rank]);
    const seen = seed ? dropout(x, `${path}.lora_dropout`, { rate: config.dropout, seed }) : x;
    return matmul(mul(matmul(seen, swapLast(a)), scaleOf(config)), swapLast(b));
  });
  const requireTargets = () => {
    const matched = new Set(placements.map(({ path }) => targetOf(config, path, body)));
    const wanted = config.targets === "all-linear" ? ["all-linear"] : config.targets;
    const stray = wanted.find((target) => !matched.has(target));
    if (stray !== undefined) throw new LoraError(`target "${stray}" is no linear layer of the model`);
  };
  return { scope, adapter, config, placements, requireTargets };
}

/** What the product of an adapter's matrices is multiplied by. */
export function scaleOf({ alpha, rank, rankStabilized = false }: LoraConfig): number {
  return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
}

function requireRanges({ rank, alpha, dropout: rate, targets }: LoraConfig): void {
  if (!Number.isSafeInteger(rank) || rank < 1) throw new LoraError(`rank must be a positive integer, not ${rank}`);
  if (!(alpha > 0 && Number.isFinite(alpha))) throw new LoraError(`alpha must be a positive number, not ${alpha}`);
  if (!(rate >= 0 && rate < 1)) throw new LoraError(`dropout lies in [0, 1), not ${rate}`);
  if (targets.length === 0) throw new LoraError("an adapter needs at least one target");
}

/** The target by which a layer is adapted, if it is. */
function targetOf({ targets }: LoraConfig, path: string, body: string): string | undefined {
  if (targets === "all-linear") return path.startsWith(`${body}.`) ? targets : undefined;
  return targets.find((target) => path === target || path.endsWith(`.${target}`));
}

/**
 * First values of an adapter, which leave the base's answers as they are: B is zero, and A normal with the variance of
 * PEFT's uniform numbers, 1 / (3 inputs). Returns float32 data by name.
 */
export function initializeLora({ adapter, placements }: Lora, seed: number): Record<string, Float32Array> {
  const inputsOf = new Map(placements.map(({ path, inputs }) => [`${adapterRoot}.${path}.lora_A.weight`, inputs]));
  return Object.fromEntries(
    adapter.parameters.map(({ name, type }) => {
      const length = (type.shape[0] as number) * (type.shape[1] as number);
      const inputs = inputsOf.get(name!);
      if (inputs === undefined) return [name!, new Float32Array(length)];
      return [name!, normals(length, { seed, stream: hashName(name!), deviation: 1 / Math.sqrt(3 * inputs) })];
    }),
  );
}

type Data = Readonly<Record<string, Float32Array>>;

/** The base's weights with the adapter's product added to each adapted one; the other arrays are those given. */
export function mergeLora(base: Data, adapter: Data, { placements, config }: Lora): Record<string, Float32Array> {
  const merged = placements.map((placement) => {
    const name = `${placement.path}.weight`;
    const matrix = (which: string) => adapter[`${adapterRoot}.${placement.path}.${which}.weight`]!;
    return [name, addProduct(base[name]!, matrix("lora_A"), matrix("lora_B"), { ...placement, config })] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** W + scale B A, summed in float64. */
function addProduct(
  weight: Float32Array,
  a: Float32Array,
  b: Float32Array,
  { inputs, outputs, stored, config }: Placement & { readonly config: LoraConfig },
): Float32Array {
  const scale = scaleOf(config);
  const [perOutput, perInput] = stored === "outputs-first" ? [inputs, 1] : [1, outputs];
  const result = new Float32Array(weight.length);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      let sum = 0;
      for (let k = 0; k < config.rank; k++) sum += b[output * config.rank + k]! * a[k * inputs + input]!;
      const at = output * perOutput + input * perInput;
      result[at] = weight[at]! + scale * sum;
    }
  }
  return result;
}
