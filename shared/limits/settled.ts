/** What answers used, told to the limits with the count that is charged: no second place counts tokens. */
import type { Meter } from "../inference/metered.ts";
import type { Limiter } from "./limiter.ts";

export function settleTokens(meter: Meter, limiter: Pick<Limiter, "settle">): Meter {
  return {
    add(project, metered) {
      const { id, api_key_id, usage } = metered;
      limiter.settle(project, api_key_id, { id, tokens: usage.input_tokens + usage.output_tokens });
      return meter.add(project, metered);
    },
  };
}
