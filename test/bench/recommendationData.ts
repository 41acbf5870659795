/** Made-up visitors of a shop, whose next choice is known as well as it can be known. */
import { philox, type Tensor } from "../../shared/engine/index.ts";

export interface Shop {
  /** Items, numbered from 1. */
  readonly items: number;
  /** Kinds of visitors. Which one a visitor is shows only in what is chosen. */
  readonly kinds: number;
  /** By kind and item (both from 0): the items most likely to follow it, best first. */
  readonly followers: readonly (readonly (readonly number[])[])[];
}

/** What a visitor does: one of the item's followers, each with its probability, or any item at all. */
const probabilities = [0.45, 0.2, 0.1] as const;
const anything = 1 - probabilities.reduce((sum, value) => sum + value, 0);

export function makeShop(items: number, kinds: number, seed: number): Shop {
  const followers = Array.from({ length: kinds }, (_, kind) =>
    Array.from({ length: items }, (_, item) => {
      const chosen = new Set<number>();
      for (let draw = 0; chosen.size < probabilities.length; draw++) {
        chosen.add(1 + (philox([kind, item, draw, 0], [seed, 1])[0] % items));
      }
      return [...chosen];
    }),
  );
  return { items, kinds, followers };
}

/** Histories int32 [visitors, length], each of a visitor of any kind who begins with any item. */
export function visit({ items, kinds, followers }: Shop, visitors: number, length: number, seed: number): Tensor {
  const data = new Int32Array(visitors * length);
  for (let visitor = 0; visitor < visitors; visitor++) {
    const random = (step: number) => philox([visitor, step, 0, 0], [seed, 2]);
    const [kind, first] = [random(0)[0] % kinds, 1 + (random(0)[1] % items)];
    data[visitor * length] = first;
    for (let at = 1; at < length; at++) {
      const [chance, other] = random(at);
      const likely = followers[kind]![data[visitor * length + at - 1]! - 1]!;
      data[visitor * length + at] = follow(likely, chance / 2 ** 32) ?? 1 + (other % items);
    }
  }
  return { shape: [visitors, length], data };
}

function follow(likely: readonly number[], chance: number): number | undefined {
  let below = 0;
  return likely.find((_, i) => {
    below += probabilities[i]!;
    return chance < below;
  });
}

/**
 * The probability of each item to come next, float32 [items + 1] (0 for padding), after a history: no ranking can hit
 * more often than this one (Bayes), in which each kind of visitor counts by how well it explains the history.
 */
export function trueProbabilities(shop: Shop, history: Int32Array): Float32Array {
  const { items, kinds } = shop;
  const step = (kind: number, from: number, to: number) => {
    const place = shop.followers[kind]![from - 1]!.indexOf(to);
    return anything / items + (probabilities[place] ?? 0);
  };
  const belief = Array.from({ length: kinds }, (_, kind) => {
    return history.subarray(1).reduce((product, to, i) => product * step(kind, history[i]!, to), 1);
  });
  const total = belief.reduce((sum, value) => sum + value, 0);
  const last = history.at(-1)!;
  return Float32Array.from({ length: items + 1 }, (_, item) => {
    if (item === 0) return 0;
    return belief.reduce((sum, value, kind) => sum + (value / total) * step(kind, last, item), 0);
  });
}
