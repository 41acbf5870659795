/** What the sweep tells CloudWatch of work: how many rows there are now in each state, and how many had no message. */
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { MessageKind } from "../../shared/messages.ts";
import type { Workload } from "../../shared/stores/workload.ts";
import { metricNamespace } from "../../shared/telemetry/metrics.ts";
import { type sweepMetrics, sweepService } from "./metricNames.ts";

export interface Gauges {
  /** Adds to what had no message. */
  unsent(count: number): void;
  /** Counts and tells the rows of the kinds. */
  rows(kinds: readonly MessageKind[]): Promise<void>;
  /** Writes what was added. */
  publish(): void;
}

type Name = keyof typeof sweepMetrics;

export function createGauges(workload: Workload): Gauges {
  const metrics = new Metrics({ namespace: metricNamespace, serviceName: sweepService });
  const add = (to: Metrics, name: Name, value: number) => to.addMetric(name, MetricUnit.Count, value);

  const tell = async (kind: MessageKind) => {
    for (const [state, count] of await workload.count(kind)) {
      const gauge = metrics.singleMetric();
      gauge.addDimensions({ kind, state });
      add(gauge, "Rows", count);
    }
  };

  return {
    unsent: (count) => void add(metrics, "RowsWithoutMessage", count),
    // A series is paid for in the hours in which it is told, so that of what is none nothing is.
    rows: async (kinds) => void (await Promise.all(kinds.map(tell))),
    publish: () => metrics.publishStoredMetrics(),
  };
}
