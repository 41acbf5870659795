/** All that the sweepers look after. */
import type { Stores } from "../shared/stores/stores.ts";
import type { Swept } from "./sweeper.ts";

/** Rows that want a worker, and what outlived its row. */
export function sweptRows(stores: Stores): Swept {
  return {
    kinds: [
      stores.jobs,
      stores.batches,
      stores.answers,
      stores.datasets.versions,
      stores.evalRuns,
      stores.labelQueues,
      stores.labelDoctors,
      stores.experiments,
      stores.policies,
      stores.promotions,
    ],
    leftovers: stores.leftovers,
    keys: stores.sealing?.keys,
    retention: stores,
  };
}

/** Nobody sends a message with an event or for a delivery that is due: both are looked for, and often. */
export const sweptWebhooks = (stores: Stores): Swept => ({
  kinds: [stores.webhookEvents, stores.webhookEndpoints],
});
