/** The API's figures, from what it tells about itself. */

import type { UsageStore } from "../shared/stores/usage.ts";
import type { Counting } from "../shared/telemetry/metrics.ts";
import { modelRoutes } from "./modelRoutes.ts";
import type { Observe } from "./requestEvents.ts";

const named = new Set(Object.keys(modelRoutes).filter((path) => !path.includes("{")));

/** Few, as each is paid for: anybody can ask for any path. */
const resourceOf = (path: string) => (named.has(path) ? path : "other");

export function measureRequests(metrics: Counting): Observe {
  return (event) => {
    if (event.type !== "answered") return;
    const resource = resourceOf(event.path);
    metrics.add("Requests", resource);
    metrics.add("Latency", resource, event.milliseconds);
    if (event.status >= 500) metrics.add("Errors", resource);
    else if (event.status >= 400) metrics.add("Refusals", resource);
  };
}

/** The same store, which tells what was charged once that is durable. */
export function measureCost(usage: UsageStore, metrics: Counting): UsageStore {
  return {
    ...usage,
    async put(project, records) {
      await usage.put(project, records);
      const nanos = records.reduce((sum, record) => sum + record.nanos, 0);
      metrics.add("Cost", project, nanos / 1e9);
    },
  };
}
