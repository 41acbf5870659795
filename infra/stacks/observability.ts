/** What is seen of a deployment, and who is told when something is wrong. */
import { Stack, type StackProps } from "aws-cdk-lib";
import { Dashboard, GraphWidget, type IMetric, MathExpression, Metric, TextWidget } from "aws-cdk-lib/aws-cloudwatch";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { metricNamespace } from "../../shared/telemetry/metrics.ts";
import { Alarms, minutes } from "../constructs/alarms.ts";
import { gpuMetrics } from "../constructs/gpuMetrics.ts";
import type { JobQueue } from "../constructs/jobQueue.ts";
import type { Options } from "../constructs/options.ts";
import { unsentMetric } from "../functions/metricNames.ts";
import type { ApiStack } from "./api.ts";
import type { DataStack } from "./data.ts";
import type { WorkersStack } from "./workers.ts";

export interface ObservabilityProps extends StackProps {
  data: DataStack;
  api: ApiStack;
  workers: WorkersStack;
  options: Options;
}

/** Seconds that the oldest message may wait: for a worker to come, and for what was before it. */
const longestWait = { jobs: 3600, answers: 300, light: 900 };

export class ObservabilityStack extends Stack {
  private readonly alarms: Alarms;
  private readonly props: ObservabilityProps;

  constructor(scope: Construct, id: string, props: ObservabilityProps) {
    super(scope, id, props);
    this.props = props;
    const { stage, alarmEmail: email, monthlyBudget: dollars } = props.options;
    this.alarms = new Alarms(this, "Alarms", { email });
    this.watchQueues();
    this.watchFunctions();
    if (dollars) this.alarms.addBudget("Budget", { stage, dollars });
    new Dashboard(this, "Dashboard", {
      dashboardName: `millrace-${stage}`,
      widgets: [
        this.requests(),
        this.work(),
        this.machines(),
        [new TextWidget({ markdown: notes, width: 24, height: 3 })],
      ],
    });
  }

  private watchQueues(): void {
    const { data } = this.props;
    for (const name of ["jobs", "answers", "light"] as const) {
      const { queue, dead } = data[name];
      this.alarms.watch(`${name}Dead`, {
        metric: dead.metricApproximateNumberOfMessagesVisible({ period: minutes(1), statistic: "Maximum" }),
        threshold: 1,
        about: `Work of the queue '${name}' was given up. Read its message and cause in the dead-letter queue, see infra/README.md.`,
      });
      this.alarms.watch(`${name}Old`, {
        metric: queue.metricApproximateAgeOfOldestMessage({ period: minutes(1), statistic: "Maximum" }),
        ...{ threshold: longestWait[name], readings: 5 },
        about: `The oldest message of '${name}' waits too long: no worker comes, or too few.`,
      });
    }
    this.alarms.watch("Stuck", {
      metric: unsent(),
      ...{ threshold: 1, readings: 3 },
      about: "Rows ask for a worker again and again: workers die at them, or messages are lost.",
    });
  }

  private watchFunctions(): void {
    const { edge, sweep } = this.props.api;
    this.alarms.watch("ServerErrors", {
      ...{ metric: this.errorRate(), threshold: 1, readings: 3 },
      about: "One request of a hundred or more fails by our fault.",
    });
    for (const [name, { function: code }] of Object.entries({ ...edge.functions, sweep })) {
      const about = `The function '${name}' ends without an answer: out of time or memory, or it does not start. Read its log.`;
      this.alarms.watch(`${name}Errors`, { metric: errors(code), threshold: 3, about });
    }
    for (const [name, { function: code }] of Object.entries(edge.functions)) {
      const about = `Lambda turns requests to '${name}' away: the account's concurrency is used up.`;
      this.alarms.watch(`${name}Throttled`, {
        metric: code.metricThrottles({ period: minutes(1) }),
        threshold: 1,
        about,
      });
    }
  }

  /** Percent of the requests, where there are enough to speak of one. */
  private errorRate(): IMetric {
    const { edge } = this.props.api;
    const period = minutes(5);
    return new MathExpression({
      expression: "IF(requests >= 20, 100 * errors / requests, 0)",
      usingMetrics: { errors: edge.serverErrors(period), requests: edge.requests(period) },
      ...{ period, label: "5xx, %" },
    });
  }

  private requests() {
    const { edge } = this.props.api;
    const period = minutes(1);
    const named = Object.entries(edge.functions);
    const running = named.map(([label, { function: code }]) =>
      code.metric("ConcurrentExecutions", { period, statistic: "Maximum", label }),
    );
    return [
      graph("Requests", [edge.requests(period), edge.clientErrors(period), edge.serverErrors(period)]),
      graph(
        "Milliseconds",
        ["p50", "p90", "p99"].map((statistic) => edge.milliseconds(period, statistic)),
      ),
      ...(running.length ? [graph("Functions at once", running)] : []),
      graph("Errors", [...named.map(([, { function: code }]) => errors(code)), this.errorRate()]),
    ];
  }

  private work() {
    const { jobs, answers, light } = this.props.data;
    const named = Object.entries({ jobs, answers, light });
    const of = (read: (queue: JobQueue, label: string) => IMetric) => named.map(([name, queue]) => read(queue, name));
    const options = { period: minutes(1), statistic: "Maximum" };
    return [
      graph(
        "Waiting",
        of(({ queue }, label) => queue.metricApproximateNumberOfMessagesVisible({ ...options, label })),
      ),
      graph(
        "At work",
        of(({ queue }, label) => queue.metricApproximateNumberOfMessagesNotVisible({ ...options, label })),
      ),
      graph(
        "Oldest, seconds",
        of(({ queue }, label) => queue.metricApproximateAgeOfOldestMessage({ ...options, label })),
      ),
      graph("Done, retried, given up", outcomes),
      graph("Given up, and stuck", [
        ...of(({ dead }, label) => dead.metricApproximateNumberOfMessagesVisible({ ...options, label })),
        unsent(),
      ]),
    ];
  }

  private machines() {
    const { workers } = this.props.workers;
    const services = workers.flatMap((group) => group.services.map((service) => ({ group, service })));
    const tasks = services.map(({ group, service }) =>
      insight("RunningTaskCount", service, `${group.node.id} ${service.node.id}`),
    );
    const share = (name: string) => services.map(({ service }) => insight(name, service, `${name} ${service.node.id}`));
    return [
      graph("Workers", tasks),
      graph("CPU, units", share("CpuUtilized")),
      graph("Memory, MB", share("MemoryUtilized")),
      graph("GPU, %", [gpuMetrics("utilization_gpu"), gpuMetrics("utilization_memory")]),
    ];
  }
}

/** See `shared/telemetry`. */
const outcomes = ["done", "retry", "buried", "failed"].map(
  (outcome) =>
    new Metric({
      ...{ namespace: metricNamespace, metricName: "Outcomes", statistic: "Sum", period: minutes(5), label: outcome },
      dimensionsMap: { service: "worker", outcome },
    }),
);

const notes = `What projects cost is told by \`GET /v1/organization/costs\` (\`group_by=project_id\`), by the price table of the deployment;
of inferences also by \`stats sum(Cost) by project_id\` in Logs Insights. Traces are in X-Ray, logs in the log groups of the stacks; every answer's \`x-request-id\` finds both.`;

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 6, height: 6 });

const errors = (code: LambdaFunction) => code.metricErrors({ period: minutes(5) });

/** What the sweep found without a message, rows apart that ask to be looked at again and again. */
const unsent = (): Metric =>
  new Metric({ namespace: metricNamespace, metricName: unsentMetric, statistic: "Sum", period: minutes(15) });

type Service = WorkersStack["workers"][number]["services"][number];

const insight = (metricName: string, { cluster, serviceName }: Service, label: string): Metric =>
  new Metric({
    ...{ namespace: "ECS/ContainerInsights", metricName, label, period: minutes(1), statistic: "Average" },
    dimensionsMap: { ClusterName: cluster.clusterName, ServiceName: serviceName },
  });
