/** What a promotion changes of its function, to be written together with the promotion's own state. */
import { incumbentChanges } from "../experiments/functionChanges.ts";
import { type FunctionRecord, mostVariants, type Variant } from "../schemas/function.ts";
import type { PromotionRecord } from "../schemas/promotion.ts";
import type { FunctionChanges } from "../stores/functions.ts";

const isTurn = ({ name }: Variant) => /^turn-\d+$/.test(name);

/** The variants with the candidate; of earlier turns', the oldest that nobody goes back to make room. */
export function withCandidate(record: FunctionRecord, { candidate, model }: PromotionRecord): Variant[] {
  const kept = record.variants.filter(({ name }) => name !== candidate);
  const isSpare = (one: Variant) => isTurn(one) && ![record.incumbent, record.previous_incumbent].includes(one.name);
  while (kept.length >= mostVariants) {
    const spare = kept.findIndex(isSpare);
    if (spare < 0) break;
    kept.splice(spare, 1);
  }
  return [...kept, { name: candidate, model: model! }];
}

/** The candidate answers. Throws ApiError while an experiment compares with the incumbent. */
export function crown(record: FunctionRecord, promotion: PromotionRecord): FunctionChanges {
  const variants = withCandidate(record, promotion);
  const reason = `Turn ${promotion.turn} passed what '${promotion.function}' asks of its models.`;
  return { variants, ...incumbentChanges({ ...record, variants }, promotion.candidate, { by: promotion.id, reason }) };
}

/** Whoever answered before does so again. */
export function uncrown(record: FunctionRecord, promotion: PromotionRecord, reason: string): FunctionChanges {
  return incumbentChanges(record, promotion.incumbent, { by: promotion.id, reason });
}
