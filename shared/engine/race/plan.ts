/** What a race may cost, and what each entrant gets of it: counted in operations, so that it is the same on every machine. */
import type { LanguageModel } from "../models/languageModel.ts";
import type { TextVectors } from "../models/textVectors.ts";

/** Of a race; the winner learns from all there are. */
export const mostRows = 10_000;

// Floating-point operations; a core makes some 7 x 10^10 a second of a small encoder's.

/** Of the base as it is, to read the rows once. */
const reading = 3e12;
/** Of the winner's own training: so many passes over its rows, within bounds. */
const winning = { passes: 3, least: 5e12, most: 2e13 };
/** Of all entrants that tune a base, while they are compared, beside the winner's own. */
const comparing = 1.2;

export interface Allowance {
  /** Of the rows, as the base reads them. */
  readonly tokens: number;
  readonly winner: number;
  readonly comparing: number;
}

/** For these rows; nothing where there is no base. */
export function allowanceFor(vectors: TextVectors | null, texts: readonly string[]): Allowance {
  if (!vectors) return { tokens: 0, winner: 0, comparing: 0 };
  const tokens = tokensOf(vectors, texts);
  const wanted = winning.passes * tokens * operationsPerToken(vectors.pretrained.model);
  const winner = Math.min(winning.most, Math.max(winning.least, wanted));
  return { tokens, winner, comparing: comparing * winner };
}

export function tokensOf({ encoder }: TextVectors, texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + encoder.encode(text).length, 0);
}

/** Folds: every row is judged by a model that learned from the other folds. Few rows are worth more of them. */
export function foldsFor(rows: number): number {
  if (rows <= 200) return 8;
  return rows <= 2000 ? 4 : 3;
}

/** Operations of a pass forward and back through a base with an adapter, by token. */
export function operationsPerToken(model: LanguageModel): number {
  return 3 * 2 * weightsOf(model);
}

const mostTunedWhole = 2e7;

/** Whether a base is small enough to tune all of it: a checkpoint then holds its layers three times over. */
export function isTunedWhole(model: LanguageModel): boolean {
  return weightsOf(model) <= mostTunedWhole;
}

/** Of the linear layers, about. */
const weightsOf = ({ layers, hidden }: LanguageModel) => 12 * layers * hidden * hidden;

/** Rows that a race is run over, of a mean length in tokens. */
export function rowsWithin(perRow: number, model: LanguageModel): number {
  return Math.min(mostRows, Math.floor((3 * reading) / (perRow * operationsPerToken(model))));
}

const mostEpochs = 10;

/** Passes over `tokens` tokens that an allowance has room for, about; one at least. */
export function epochsWithin(operations: number, tokens: number, model: LanguageModel): number {
  const fitting = Math.round(operations / Math.max(1, tokens * operationsPerToken(model)));
  return Math.max(1, Math.min(mostEpochs, fitting));
}
