/** The gate before training: do labels that came in agree with what was known, as labels of honest people do? */
import { normalCdf } from "../statistics/distributions.ts";

export interface Agreement {
  /** Labels compared; weighted where each stands for several. */
  items: number;
  /** How many of them agree. */
  agreeing: number;
}

export interface DataRules {
  /** How much less may new labels agree than earlier ones: what is hard, and what has moved, is not poison. Such as 0.1. */
  data_slack: number;
  /** The chance to stop a batch whose agreement is less by the slack. */
  data_alpha: number;
}

export const usualDataRules: DataRules = { data_slack: 0.1, data_alpha: 0.01 };

export interface DataVerdict {
  passed: boolean;
  /** Shares that agree. */
  before: number;
  now: number;
  /** Of a batch whose agreement is less by the slack looking as bad as this. */
  pValue: number;
}

/**
 * New labels against earlier ones: a one-sided test that the share which agrees has fallen by more than the slack (Agresti and
 * Caffo 2000: two items more on either side keep small batches honest). What they are to agree with is an
 * out-of-fold model's answers or the incumbent's, the same for both.
 */
export function judgeData(earlier: Agreement, fresh: Agreement, { data_slack, data_alpha }: DataRules): DataVerdict {
  const shareOf = ({ items, agreeing }: Agreement) => (agreeing + 1) / (items + 2);
  const errorOf = (one: Agreement) => (shareOf(one) * (1 - shareOf(one))) / (one.items + 2);
  const z = (shareOf(fresh) - shareOf(earlier) + data_slack) / Math.sqrt(errorOf(fresh) + errorOf(earlier));
  const pValue = fresh.items > 0 && earlier.items > 0 ? normalCdf(z) : 1;
  const plain = ({ items, agreeing }: Agreement) => (items > 0 ? agreeing / items : 0);
  return { passed: pValue >= data_alpha, before: plain(earlier), now: plain(fresh), pValue };
}
