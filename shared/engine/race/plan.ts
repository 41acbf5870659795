/** What a race may cost, and what each entrant gets of it: counted in operations, so that it is the same on every machine. */
import type { LanguageModel } from "../models/languageModel.ts";

/** Of a race; the winner learns from all there are. */
export const mostRows = 10_000;

/** Floating-point operations; a core makes some 7 x 10^10 a second of a small encoder's. */
export const allowance = {
  /** Of the base as it is, to read the rows once. */
  reading: 3e12,
  /** Of all entrants that tune a base, while they are compared. */
  comparing: 3e12,
  /** Of the winner's own training. */
  winner: 5e12,
} as const;

/** Folds: every row is judged by a model that learned from the other folds. Few rows are worth more of them. */
export function foldsFor(rows: number): number {
  if (rows <= 200) return 8;
  return rows <= 2000 ? 4 : 3;
}

/** Operations of a pass forward and back through a base with an adapter, by token. */
export function operationsPerToken({ layers, hidden }: LanguageModel): number {
  const weights = 12 * layers * hidden * hidden;
  return 3 * 2 * weights;
}

/** Rows that a race is run over, of a mean length in tokens. */
export function rowsWithin(perRow: number, model: LanguageModel): number {
  return Math.min(mostRows, Math.floor((3 * allowance.reading) / (perRow * operationsPerToken(model))));
}

const mostEpochs = 10;

/** Passes over `tokens` tokens that an allowance has room for, one at least. */
export function epochsWithin(operations: number, tokens: number, model: LanguageModel): number {
  const fitting = Math.floor(operations / Math.max(1, tokens * operationsPerToken(model)));
  return Math.max(1, Math.min(mostEpochs, fitting));
}
