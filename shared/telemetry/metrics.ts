/**
 * Figures for CloudWatch as lines of its embedded metric format, which need no agent and no calls: counted in memory and
 * written behind, once a minute for each series. Whoever counts pays for an addition, not for a line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */

/** Every metric there is, with its unit and the one dimension by which it is told apart beside the service. */
export const metrics = {
  Requests: { unit: "Count", by: "resource" },
  /** Answers with status 400 to 499. */
  Refusals: { unit: "Count", by: "resource" },
  /** Answers with status 500 and above. */
  Errors: { unit: "Count", by: "resource" },
  Latency: { unit: "Milliseconds", by: "resource" },
  /** Messages that a worker is done with, by what became of them: `done`, `retry`, `buried` or `failed`. */
  Outcomes: { unit: "Count", by: "outcome" },
  /** Of a message's work. */
  WorkTime: { unit: "Milliseconds", by: "kind" },
  /** From a message's sending to its first receipt. */
  QueueAge: { unit: "Milliseconds", by: "kind" },
  /** Share of its time that a worker was at work. */
  Busy: { unit: "Percent", by: "queue" },
  /** Of inferences, in the price table's currency; the project stands beside it, for Logs Insights. */
  Cost: { unit: "None", by: "project_id" },
} as const;

export type MetricName = keyof typeof metrics;

export const metricNamespace = "Millrace";

export interface Counting {
  add(name: MetricName, by: string, value?: number): void;
}

export interface Metrics extends Counting {
  /** Writes what was counted since the last time. */
  flush(): void;
  /** The same, for the last time. */
  stop(): void;
}

/** A metric's values in one line; CloudWatch takes a hundred. */
const mostValues = 100;

interface Series {
  name: MetricName;
  by: string;
  count: number;
  sum: number;
  /** Of those that are times: of more than a hundred, a hundred that any were as likely to be among. */
  values: number[];
}

/** Metrics whose values are seen one by one; of the others only their sum is told. */
const isSeen = (name: MetricName) => metrics[name].unit === "Milliseconds" || metrics[name].unit === "Percent";

export interface MetricsOptions {
  service: string;
  write: (line: string) => void;
  intervalMilliseconds?: number;
  random?: () => number;
}

export const noMetrics: Metrics = { add() {}, flush() {}, stop() {} };

/** As the environment has it, on the standard output. */
export function openMetrics(config: { metrics: "none" | "emf" }, service: string): Metrics {
  if (config.metrics === "none") return noMetrics;
  return createMetrics({ service, write: (line) => void process.stdout.write(`${line}\n`) });
}

export function createMetrics({
  service,
  write,
  intervalMilliseconds = 60_000,
  random = Math.random,
}: MetricsOptions): Metrics {
  const series = new Map<string, Series>();
  const flush = () => {
    for (const one of series.values()) write(lineOf(service, one));
    series.clear();
  };
  const timer = setInterval(flush, intervalMilliseconds).unref();
  return {
    add(name, by, value = 1) {
      const key = `${name} ${by}`;
      const one = series.get(key) ?? { name, by, count: 0, sum: 0, values: [] };
      if (one.count === 0) series.set(key, one);
      one.count++;
      one.sum += value;
      if (!isSeen(name)) return;
      const place = one.count <= mostValues ? one.count - 1 : Math.floor(random() * one.count);
      if (place < mostValues) one.values[place] = value;
    },
    flush,
    stop() {
      clearInterval(timer);
      flush();
    },
  };
}

function lineOf(service: string, { name, by: value, sum, values }: Series): string {
  const { unit, by } = metrics[name];
  // A metric for each project would cost more than many a project.
  const dimensions = name === "Cost" ? ["service"] : ["service", by];
  const directive = { Namespace: metricNamespace, Dimensions: [dimensions], Metrics: [{ Name: name, Unit: unit }] };
  const _aws = { Timestamp: Date.now(), CloudWatchMetrics: [directive] };
  return JSON.stringify({ _aws, service, [by]: value, [name]: isSeen(name) ? values : sum });
}
