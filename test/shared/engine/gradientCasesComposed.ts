/** What to differentiate of the functions that are made of several ops. */
import { logSigmoid, silu } from "../../../shared/engine/index.ts";
import { each, type Variant } from "./gradientVariants.ts";

export const composed: Record<string, Variant[]> = {
  silu: each(silu),
  logSigmoid: each(logSigmoid),
};
