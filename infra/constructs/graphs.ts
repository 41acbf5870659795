/** Graphs, and what is drawn in them: of Millrace's own metrics, whatever values their dimensions come to have. */
import { GraphWidget, type IMetric, MathExpression, Metric, type MetricOptions } from "aws-cdk-lib/aws-cloudwatch";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { type MetricName, metricNamespace, metrics } from "../../shared/telemetry/metrics.ts";
import { sweepMetrics, sweepService } from "../functions/metricNames.ts";
import { minutes } from "./alarms.ts";
import type { Edge } from "./edge.ts";

export const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 6, height: 6 });

interface Search {
  statistic: string;
  minutes: number;
  /** Of readings that are not there, of what is told only where there is some. */
  fill?: number;
}

/** One line for each value of the last dimensions that was told in the last two weeks, CloudWatch's hundred at most. */
function found(name: string, dimensions: readonly string[], { statistic, minutes: count, fill }: Search): IMetric {
  const schema = [metricNamespace, ...dimensions].join(",");
  const search = `SEARCH('{${schema}} MetricName="${name}"', '${statistic}', ${count * 60})`;
  const label = dimensions
    .slice(1)
    .map((dimension) => `\${PROP('Dim.${dimension}')}`)
    .join(" ");
  const expression = fill === undefined ? search : `FILL(${search}, ${fill})`;
  return new MathExpression({ expression, label, period: minutes(count) });
}

/** One of `shared/telemetry`, a line for each value of what it is told by. */
export const by = (name: MetricName, search: Search): IMetric => found(name, ["service", metrics[name].by], search);

/** How many rows there are of each kind and state. */
export const rowsByState = (): IMetric =>
  found("Rows", sweepMetrics.Rows, { statistic: "Maximum", minutes: 1, fill: 0 });

/** What the sweep found without a message. */
export const unsent = (options: MetricOptions = {}): Metric =>
  new Metric({
    ...{ namespace: metricNamespace, metricName: "RowsWithoutMessage", statistic: "Sum", period: minutes(15) },
    ...{ dimensionsMap: { service: sweepService }, label: "without a message", ...options },
  });

/** Of all projects together, in the price table's currency. */
export const cost = (service: "api" | "worker"): Metric =>
  new Metric({
    ...{ namespace: metricNamespace, metricName: "Cost", statistic: "Sum", period: minutes(60), label: service },
    dimensionsMap: { service },
  });

export const errors = (code: LambdaFunction): Metric => code.metricErrors({ period: minutes(5) });

/** Percent of the requests, where there are enough to speak of one. */
export function errorRate(edge: Edge): IMetric {
  const period = minutes(5);
  return new MathExpression({
    expression: "IF(requests >= 20, 100 * errors / requests, 0)",
    usingMetrics: { errors: edge.serverErrors(period), requests: edge.requests(period) },
    ...{ period, label: "5xx, %" },
  });
}
