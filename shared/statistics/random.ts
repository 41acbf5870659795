/** Seeded numbers by counter, for what is resampled: the same seed gives the same answer on every machine. */
import { philox } from "../engine/random.ts";
import { checkCount } from "./checks.ts";

export interface Random {
  /** Uniform in [0, 1), in steps of 2^-32. */
  uniform(): number;
  /** A whole number from 0 up to `limit`, which is excluded; biased by less than limit / 2^32. */
  below(limit: number): number;
}

/** The numbers of a seed and one of its independent streams, both uint32. */
export function randomOf(seed: number, stream = 0): Random {
  checkCount("seed", seed);
  let [counter, used] = [0, 4];
  let block = [0, 0, 0, 0] as readonly number[];
  const next = (): number => {
    if (used === 4) {
      block = philox([counter >>> 0, Math.floor(counter / 2 ** 32), 0x73746174, 0], [seed >>> 0, stream >>> 0]);
      counter++;
      used = 0;
    }
    return block[used++]!;
  };
  return { uniform: () => next() / 2 ** 32, below: (limit) => Math.floor((next() / 2 ** 32) * limit) };
}

/** 0 up to `length` in an order drawn anew (Fisher-Yates), written over `order`. */
export function shuffle(order: Int32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
}
